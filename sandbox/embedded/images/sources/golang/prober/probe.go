package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

const (
	shortestEvery  = 50
	longestTimeout = 30_000
	mostInFlight   = 8
	longestBody    = 4 << 10
	nonceHeader    = "X-Glasshull-Nonce"
	podUIDHeader   = "X-Glasshull-Pod-Uid"
)

// probe is one question asked again and again: exactly one of HTTP, TCP and DNS.
type probe struct {
	ID        string            `json:"id"`
	HTTP      string            `json:"http"`
	TCP       string            `json:"tcp"`
	DNS       string            `json:"dns"`
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

// repeat asks on schedule, never waiting for a slow answer: requests run side
// by side, and one that finds mostInFlight still open counts as failed.
func (p *probe) repeat(ctx context.Context, report func(result)) {
	start, every := time.Now(), time.Duration(p.EveryMS)*time.Millisecond
	free := make(chan struct{}, mostInFlight)
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
		err = p.askHTTP(ctx, result)
	case p.TCP != "":
		err = askTCP(ctx, p.TCP)
	default:
		result.Body, err = askDNS(ctx, p.DNS)
	}
	result.MS = float64(time.Since(sent).Microseconds()) / 1000
	result.OkTransport = err == nil
	result.Error = nameError(err)
}

// One connection per request: only so are load balancing and lost endpoints real.
// No redirects, no proxy, no compression: what answers is what was asked.
var transport = &http.Transport{
	DisableKeepAlives:      true,
	DisableCompression:     true,
	MaxResponseHeaderBytes: 16 << 10,
}

func (p *probe) askHTTP(ctx context.Context, result *result) error {
	request, err := http.NewRequestWithContext(ctx, p.Method, p.HTTP, strings.NewReader(p.Body))
	if err != nil {
		return err
	}
	for name, value := range p.Headers {
		request.Header.Set(name, value)
	}
	// The final dot of a full name is for the resolver; servers compare hosts without it.
	request.Host = strings.Replace(strings.TrimSuffix(request.URL.Host, "."), ".:", ":", 1)
	request.Header.Set("User-Agent", "glasshull-prober")
	request.Header.Set(nonceHeader, result.Nonce)
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, longestBody))
	result.Status = answer.StatusCode
	result.Body = string(body)
	result.EchoNonce = answer.Header.Get(nonceHeader)
	result.EchoPodUID = answer.Header.Get(podUIDHeader)
	return err
}

func askTCP(ctx context.Context, address string) error {
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return connection.Close()
}

func askDNS(ctx context.Context, name string) (string, error) {
	addresses, err := net.DefaultResolver.LookupHost(ctx, name)
	return strings.Join(addresses, " "), err
}

// nameError gives the few words a lesson and a picture use.
func nameError(err error) string {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &dns) && dns.IsNotFound:
		return "no such host"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "reset"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "unreachable"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "closed"
	case dns != nil:
		return "name service failed"
	}
	return "failed: " + err.Error()
}

func newNonce() string {
	var bytes [12]byte
	rand.Read(bytes[:])
	return hex.EncodeToString(bytes[:])
}
