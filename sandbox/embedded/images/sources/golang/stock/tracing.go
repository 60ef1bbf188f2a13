package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	mostWaiting = 200 // spans; a collector that is away costs no memory
	every       = time.Second
)

// trace is one request's place in its trace; parent is empty at its beginning.
// The stock calls nobody, so it passes nothing on.
type trace struct {
	id, parent, span string
	sampled          bool
}

// tracing reads, begins and reports traces. Reporting never makes a request wait.
type tracing struct {
	app       string
	collector string
	lock      sync.Mutex
	spans     []map[string]any
}

func newTracing(app string) *tracing {
	return &tracing{app: app, collector: strings.TrimSuffix(variable("TRACE_URL", ""), "/")}
}

func (t *tracing) begin(headers http.Header) trace {
	if found, ok := readTrace(headers); ok {
		found.span = newID(8)
		return found
	}
	return trace{id: newID(16), span: newID(8), sampled: true}
}

func (t *tracing) report(trace trace, route, method string, status int, seconds float64) {
	if t.collector == "" || !trace.sampled {
		return
	}
	host, _ := os.Hostname()
	span := map[string]any{
		"traceId": trace.id, "id": trace.span, "kind": "SERVER", "name": strings.ToLower(method) + " " + route,
		"timestamp": time.Now().UnixMicro() - int64(seconds*1e6), "duration": max(1, int64(seconds*1e6)),
		"localEndpoint": map[string]any{"serviceName": t.app},
		"tags":          map[string]any{"http.status_code": strconv.Itoa(status), "pod": variable("POD_NAME", host)},
	}
	if trace.parent != "" {
		span["parentId"] = trace.parent
	}
	t.lock.Lock()
	defer t.lock.Unlock()
	if len(t.spans) < mostWaiting {
		t.spans = append(t.spans, span)
	}
}

// start sends what was reported, in batches; spans are worth less than the shop.
func (t *tracing) start() {
	if t.collector == "" {
		return
	}
	client := &http.Client{Timeout: 600 * time.Millisecond}
	go func() {
		for range time.Tick(every) {
			t.lock.Lock()
			spans := t.spans
			t.spans = nil
			t.lock.Unlock()
			if body, err := json.Marshal(spans); err == nil && len(spans) > 0 {
				if sent, err := client.Post(t.collector+"/api/v2/spans", "application/json", bytes.NewReader(body)); err == nil {
					sent.Body.Close()
				}
			}
		}
	}()
}

// readTrace reads W3C traceparent first, then B3 in one header, then in several.
func readTrace(headers http.Header) (trace, bool) {
	w3c := strings.Split(headers.Get("traceparent"), "-")
	if len(w3c) >= 4 && len(w3c[0]) == 2 && len(w3c[3]) == 2 && areIDs(w3c[1], w3c[2], 32) {
		return trace{id: w3c[1], parent: w3c[2], sampled: strings.Contains("13579bdf", w3c[3][1:])}, true
	}
	single := strings.Split(headers.Get("b3"), "-")
	if len(single) >= 2 && areIDs(single[0], single[1], 16, 32) {
		return trace{id: single[0], parent: single[1], sampled: len(single) < 3 || single[2] != "0"}, true
	}
	id, parent, sampled := headers.Get("X-B3-TraceId"), headers.Get("X-B3-SpanId"), headers.Get("X-B3-Sampled")
	if areIDs(id, parent, 16, 32) {
		return trace{id: id, parent: parent, sampled: sampled != "0" && sampled != "false"}, true
	}
	return trace{}, false
}

// areIDs wants lower-case hexadecimal of the right length, not all zeros: those mean "none".
func areIDs(id, span string, lengths ...int) bool {
	right := false
	for _, length := range lengths {
		right = right || len(id) == length
	}
	return right && len(span) == 16 && strings.Trim(id+span, "0123456789abcdef") == "" &&
		strings.Trim(id, "0") != "" && strings.Trim(span, "0") != ""
}

func newID(size int) string {
	random := make([]byte, size)
	rand.Read(random)
	return hex.EncodeToString(random)
}
