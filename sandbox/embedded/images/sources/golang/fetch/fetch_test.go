package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func call(t *testing.T, name string, arguments ...string) (int, string, string) {
	t.Helper()
	var out, messages bytes.Buffer
	wish, err := parse(name, arguments)
	if err != nil {
		return 2, "", err.Error()
	}
	code := fetch(name, wish, &out, &messages)
	return code, out.String(), messages.String()
}

func TestCurlShowsBodyHeaderAndCode(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Seen", r.Header.Get("X-Mine"))
		fmt.Fprintf(w, "%s %s", r.Method, body)
	}))
	defer server.Close()
	if code, out, _ := call(t, "curl", "-s", strings.TrimPrefix(server.URL, "http://")); code != 0 || out != "GET " {
		t.Fatalf("plain: %d %q", code, out)
	}
	code, out, _ := call(t, "curl", "-siXPUT", "-H", "X-Mine: yes", "-d", "a=1", "--data", "b=2", server.URL, "-w", `|%{http_code}\n`)
	if code != 0 || !strings.HasPrefix(out, "HTTP/1.1 200 OK\n") || !strings.Contains(out, "X-Seen: yes\n") ||
		!strings.HasSuffix(out, "PUT a=1&b=2|200\n") {
		t.Fatalf("options: %d %q", code, out)
	}
}

func TestCodesAreThoseOfCurl(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-r.Context().Done()
		}
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "/", http.StatusFound)
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	closed, _ := net.Listen("tcp", "127.0.0.1:0")
	closed.Close()
	for _, row := range []struct {
		code      int
		arguments []string
	}{
		{0, []string{server.URL}},
		{22, []string{"-f", server.URL}},
		{28, []string{"-m", "0.2", server.URL + "/slow"}},
		{7, []string{closed.Addr().String()}},
		{6, []string{"http://nowhere.invalid/"}},
		{0, []string{server.URL + "/away", "-f"}},
		{22, []string{server.URL + "/away", "-fL"}},
		{3, []string{"ftp://a/"}},
		{2, []string{"--speed", "9"}},
		{2, []string{"-X"}},
		{2, []string{}},
	} {
		if code, _, messages := call(t, "curl", row.arguments...); code != row.code {
			t.Errorf("%v: %d (%s), want %d", row.arguments, code, messages, row.code)
		}
	}
}

func TestWgetWritesWhereItIsTold(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") }))
	defer server.Close()
	if code, out, _ := call(t, "wget", "-qO-", server.URL); code != 0 || out != "hello" {
		t.Fatalf("%d %q", code, out)
	}
	file := filepath.Join(t.TempDir(), "page")
	if code, out, _ := call(t, "wget", "-q", "-O", file, "-T", "3", server.URL); code != 0 || out != "" {
		t.Fatalf("%d %q", code, out)
	}
	if content, _ := os.ReadFile(file); string(content) != "hello" {
		t.Fatalf("%q", content)
	}
}

func TestLookUp(t *testing.T) {
	var out, messages bytes.Buffer
	if code := lookUp([]string{"localhost"}, &out, &messages); code != 0 || !strings.Contains(out.String(), "127.0.0.1") {
		t.Fatalf("%d %s%s", code, out.String(), messages.String())
	}
	if code := lookUp(nil, &out, &messages); code != 2 {
		t.Fatalf("%d", code)
	}
}
