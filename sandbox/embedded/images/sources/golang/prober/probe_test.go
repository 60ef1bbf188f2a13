package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// session runs a prober and gives its input and its decoded output lines.
func session(t *testing.T, silence time.Duration) (io.WriteCloser, <-chan map[string]any, <-chan error) {
	t.Helper()
	commands, input := io.Pipe()
	output, results := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(commands, results, silence); results.Close() }()
	lines := make(chan map[string]any, 1000)
	go func() {
		defer close(lines)
		scanner := bufio.NewScanner(output)
		for scanner.Scan() {
			line := map[string]any{}
			if json.Unmarshal(scanner.Bytes(), &line) == nil {
				lines <- line
			}
		}
	}()
	t.Cleanup(func() { input.Close() })
	return input, lines, ended
}

func next(t *testing.T, lines <-chan map[string]any) map[string]any {
	t.Helper()
	select {
	case line := <-lines:
		return line
	case <-time.After(5 * time.Second):
		t.Fatal("no line within 5 s")
		return nil
	}
}

func TestHTTPProbeSendsAFreshNonceOnAFreshConnection(t *testing.T) {
	peers, nonces := map[string]bool{}, map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peers[r.RemoteAddr], nonces[r.Header.Get(nonceHeader)] = true, true
		w.Header().Set(podUIDHeader, "uid-1")
		fmt.Fprint(w, strings.Repeat("x", longestBody*2))
	}))
	defer server.Close()
	input, lines, _ := session(t, time.Minute)
	fmt.Fprintf(input, `{"op":"probe","id":"s/front","http":"%s/whoami","every_ms":50,"timeout_ms":1000}`+"\n", server.URL)
	for n := 1.0; n <= 3; n++ {
		line := next(t, lines)
		if line["n"] != n || line["ok_transport"] != true || line["status"] != 200.0 || line["echo_pod_uid"] != "uid-1" {
			t.Fatalf("unexpected result %v", line)
		}
		if len(line["body"].(string)) != longestBody {
			t.Fatalf("body has %d bytes", len(line["body"].(string)))
		}
	}
	server.Close()
	if len(peers) < 3 || len(nonces) < 3 || nonces[""] {
		t.Fatalf("connections %d, nonces %d", len(peers), len(nonces))
	}
}

func TestASlowAnswerIsATimeoutAndDelaysNoOther(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
	}))
	defer server.Close()
	input, lines, _ := session(t, time.Minute)
	fmt.Fprintf(input, `{"op":"probe","id":"slow","http":"%s","every_ms":50,"timeout_ms":700}`+"\n", server.URL)
	for n := 1.0; n <= 20; n++ {
		line := next(t, lines)
		// Sent every 50 ms although none was answered for 700.
		if line["n"] != n || line["error"] != "timeout" || line["at_ms"].(float64) > n*50+200 {
			t.Fatalf("%v", line)
		}
	}
}

func TestErrorsHaveNames(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := closed.Addr().String()
	closed.Close()
	input, lines, _ := session(t, time.Minute)
	fmt.Fprintf(input, `{"op":"probe","id":"h","http":"%s","every_ms":60000,"timeout_ms":1000}`+"\n", address)
	if line := next(t, lines); line["error"] != "refused" || line["ok_transport"] != false {
		t.Fatalf("http: %v", line)
	}
	fmt.Fprintf(input, `{"op":"probe","id":"t","tcp":"%s","every_ms":60000,"timeout_ms":1000}`+"\n", address)
	if line := next(t, lines); line["error"] != "refused" {
		t.Fatalf("tcp: %v", line)
	}
	fmt.Fprintln(input, `{"op":"probe","id":"d","dns":"localhost","every_ms":60000,"timeout_ms":1000}`)
	if line := next(t, lines); line["error"] != "" || line["body"] != `{"answers":["127.0.0.1"]}` {
		t.Fatalf("dns: %v", line)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	server := httptest.NewServer(http.RedirectHandler("http://127.0.0.1:1/", http.StatusFound))
	defer server.Close()
	input, lines, _ := session(t, time.Minute)
	fmt.Fprintf(input, `{"op":"probe","id":"r","http":"%s","every_ms":60000,"timeout_ms":1000}`+"\n", server.URL)
	if line := next(t, lines); line["status"] != 302.0 {
		t.Fatalf("%v", line)
	}
}

func TestStopEndsOneAndStopAllEndsAPrefix(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	input, lines, _ := session(t, time.Minute)
	for _, id := range []string{"a/1", "a/2", "b/1"} {
		fmt.Fprintf(input, `{"op":"probe","id":"%s","http":"%s","every_ms":50,"timeout_ms":500}`+"\n", id, server.URL)
	}
	fmt.Fprintln(input, `{"op":"stop-all","prefix":"a/"}`)
	fmt.Fprintln(input, `{"op":"ping"}`)
	for next(t, lines)["op"] != "pong" {
	}
	for range 4 {
		if line := next(t, lines); line["id"] != "b/1" {
			t.Fatalf("%v still runs", line["id"])
		}
	}
	fmt.Fprintln(input, `{"op":"stop","id":"b/1"}`)
	fmt.Fprintln(input, `{"op":"ping"}`)
	for next(t, lines)["op"] != "pong" {
	}
	select {
	case line := <-lines:
		t.Fatalf("a stopped probe answered: %v", line)
	case <-time.After(200 * time.Millisecond):
	}
}

func TestBadCommandsAreNamedAndSurvived(t *testing.T) {
	input, lines, _ := session(t, time.Minute)
	for _, command := range []string{
		`nonsense`,
		`{"op":"dance"}`,
		`{"op":"probe","id":"x","every_ms":250,"timeout_ms":1000}`,
		`{"op":"probe","id":"x","http":"file:///etc/passwd","every_ms":250,"timeout_ms":1000}`,
		`{"op":"probe","id":"x","http":"http://a","every_ms":1,"timeout_ms":1000}`,
		`{"op":"probe","id":"x","http":"http://a","every_ms":250,"timeout_ms":0}`,
		`{"op":"probe","id":"x","http":"http://a","every_ms":50,"timeout_ms":30000}`,
		`{"op":"probe","id":"x","dns":"a","type":"MX","every_ms":250,"timeout_ms":1000}`,
		`{"op":"ask","id":"x","http":"file:///etc/passwd","timeout_ms":1000}`,
		`{"op":"memory","id":"x","pods":{"uid":"storefront"}}`,
		`{"op":"memory","id":"x","pods":{}}`,
		`{"op":"load","id":"x/rush","rate":"many"}`,
	} {
		fmt.Fprintln(input, command)
		if line := next(t, lines); line["op"] != "error" || line["error"] == "" {
			t.Fatalf("%s gave %v", command, line)
		}
	}
}

func TestEverythingEndsWithTheInputOrWithSilence(t *testing.T) {
	input, _, ended := session(t, time.Minute)
	input.Close()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	_, _, ended = session(t, 50*time.Millisecond)
	if err := <-ended; err != errSilence {
		t.Fatal(err)
	}
}
