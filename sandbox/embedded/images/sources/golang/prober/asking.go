package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

const (
	longestBody  = 4 << 10
	nonceHeader  = "X-Glasshull-Nonce"
	podUIDHeader = "X-Glasshull-Pod-Uid"
)

// question is one HTTP request.
type question struct {
	method, url, body, cookie, nonce string
	headers                          map[string]string
}

// answer is what came back; empty fields when the server did not say.
type answer struct {
	status              int
	body, nonce, podUID string
}

// One connection per request: only so are load balancing and lost endpoints real.
// No redirects, no proxy, no compression: what answers is what was asked.
var transport = &http.Transport{
	DisableKeepAlives:      true,
	DisableCompression:     true,
	MaxResponseHeaderBytes: 16 << 10,
}

func (q question) ask(ctx context.Context) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, q.method, q.url, strings.NewReader(q.body))
	if err != nil {
		return answer{}, err
	}
	for name, value := range q.headers {
		request.Header.Set(name, value)
	}
	if q.cookie != "" {
		request.Header.Set("Cookie", q.cookie)
	}
	// The final dot of a full name is for the resolver; servers compare hosts without it.
	request.Host = strings.Replace(strings.TrimSuffix(request.URL.Host, "."), ".:", ":", 1)
	request.Header.Set("User-Agent", "glasshull-prober")
	request.Header.Set(nonceHeader, q.nonce)
	heard, err := transport.RoundTrip(request)
	if err != nil {
		return answer{}, err
	}
	defer heard.Body.Close()
	body, err := io.ReadAll(io.LimitReader(heard.Body, longestBody))
	return answer{
		status: heard.StatusCode,
		body:   string(body),
		nonce:  heard.Header.Get(nonceHeader),
		podUID: heard.Header.Get(podUIDHeader),
	}, err
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

func milliseconds(since time.Time) float64 {
	return float64(time.Since(since).Microseconds()) / 1000
}
