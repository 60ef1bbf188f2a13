package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	shortestEvery  = 50
	longestTimeout = 30_000
	// mostInFlight bounds what one probe may have open; a probe whose timeout
	// needs more than this at its pace is refused.
	mostInFlight = 64
)

// probe is one question asked again and again: exactly one of HTTP, TCP and DNS.
type probe struct {
	ID        string            `json:"id"`
	HTTP      string            `json:"http"`
	TCP       string            `json:"tcp"`
	DNS       string            `json:"dns"`
	Type      string            `json:"type"` // of a DNS question; A when empty
	Method    string            `json:"method"`
	Headers   map[string]string `json:"headers"`
	Body      string            `json:"body"`
	EveryMS   int               `json:"every_ms"`
	TimeoutMS int               `json:"timeout_ms"`
}

type result struct {
	ID string `json:"id"`
	// N counts the probe's requests from 1, in the order they were sent.
	N int `json:"n"`
	// AtMS is when the request was sent, after the probe's start.
	AtMS        int64   `json:"at_ms"`
	OkTransport bool    `json:"ok_transport"`
	Status      int     `json:"status"`
	MS          float64 `json:"ms"`
	Body        string  `json:"body"`
	Error       string  `json:"error"`
	Nonce       string  `json:"nonce"`
	// What the answer's headers say of who answered; empty when they say nothing.
	EchoNonce  string `json:"echo_nonce,omitempty"`
	EchoPodUID string `json:"echo_pod_uid,omitempty"`
}

func (p *probe) check() error {
	targets := 0
	for _, target := range []string{p.HTTP, p.TCP, p.DNS} {
		if target != "" {
			targets++
		}
	}
	switch {
	case p.ID == "":
		return errors.New("a probe needs an id")
	case targets != 1:
		return errors.New("a probe needs exactly one of http, tcp and dns")
	case p.EveryMS < shortestEvery:
		return fmt.Errorf("every_ms is %d, the least is %d", p.EveryMS, shortestEvery)
	case p.TimeoutMS < 1 || p.TimeoutMS > longestTimeout:
		return fmt.Errorf("timeout_ms is %d, it must be 1 to %d", p.TimeoutMS, longestTimeout)
	case p.open() > mostInFlight:
		return fmt.Errorf("%d requests could be open at once, at most %d may", p.open(), mostInFlight)
	case p.DNS != "" && !knownType(p.Type):
		return fmt.Errorf("no DNS type %q", p.Type)
	}
	if p.TCP != "" {
		_, _, err := net.SplitHostPort(p.TCP)
		return err
	}
	if p.HTTP != "" {
		return p.checkHTTP()
	}
	return nil
}

func (p *probe) checkHTTP() error {
	if !strings.Contains(p.HTTP, "://") {
		p.HTTP = "http://" + p.HTTP
	}
	address, err := url.Parse(p.HTTP)
	if err != nil {
		return err
	}
	if address.Scheme != "http" || address.Host == "" {
		return fmt.Errorf("%q is no http address", p.HTTP)
	}
	_, err = http.NewRequest(p.Method, p.HTTP, nil)
	return err
}

// open is how many requests can be unanswered at once, with room for one that
// was sent late: a slow answer then is a timeout and never our own limit.
func (p *probe) open() int {
	return p.TimeoutMS/p.EveryMS + 2
}

// repeat asks on schedule, never waiting for a slow answer: requests run side
// by side.
func (p *probe) repeat(ctx context.Context, report func(result)) {
	start, every := time.Now(), time.Duration(p.EveryMS)*time.Millisecond
	free := make(chan struct{}, p.open())
	timer := time.NewTimer(0)
	defer timer.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		result := result{ID: p.ID, N: n, AtMS: time.Since(start).Milliseconds(), Nonce: newNonce()}
		select {
		case free <- struct{}{}:
			go func() {
				defer func() { <-free }()
				p.ask(ctx, &result)
				if ctx.Err() == nil {
					report(result)
				}
			}()
		default:
			result.Error = "too many unanswered"
			report(result)
		}
		next := start.Add(time.Duration(n) * every)
		// A machine that slept must not send what it missed in one burst.
		if late := time.Since(next); late > every {
			start = start.Add(late - late%every)
			next = next.Add(late - late%every)
		}
		timer.Reset(time.Until(next))
	}
}

func (p *probe) ask(ctx context.Context, result *result) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(p.TimeoutMS)*time.Millisecond)
	defer cancel()
	sent := time.Now()
	var err error
	switch {
	case p.HTTP != "":
		var answer answer
		answer, err = p.question(result.Nonce).ask(ctx)
		result.take(answer)
	case p.TCP != "":
		err = askTCP(ctx, p.TCP)
	default:
		result.Body, err = askDNS(ctx, p.DNS, p.Type)
	}
	result.MS = milliseconds(sent)
	result.OkTransport = err == nil
	result.Error = nameError(err)
}

func (p *probe) question(nonce string) question {
	return question{method: p.Method, url: p.HTTP, body: p.Body, headers: p.Headers, nonce: nonce}
}

func (r *result) take(answer answer) {
	r.Status, r.Body = answer.status, answer.body
	r.EchoNonce, r.EchoPodUID = answer.nonce, answer.podUID
}

func askTCP(ctx context.Context, address string) error {
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return connection.Close()
}
