package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"sort"
	"strings"
	"syscall"
	"time"
)

// Exit codes are curl's, because scripts test them.
const (
	codeBadURL     = 3
	codeNoName     = 6
	codeRefused    = 7
	codeStatus     = 22
	codeWrite      = 23
	codeTimeout    = 28
	codeEmpty      = 52
	codeReset      = 56
	unnamedTrouble = 1
)

func fetch(name string, wish *wish, out, messages io.Writer) int {
	status, code, err := exchange(wish, out, messages)
	if err != nil && wish.showErrs {
		fmt.Fprintf(messages, "%s: (%d) %v\n", name, code, err)
	}
	if wish.write != "" {
		fmt.Fprint(out, strings.NewReplacer("%{http_code}", fmt.Sprintf("%03d", status), `\n`, "\n").Replace(wish.write))
	}
	return code
}

// exchange gives the answer's status (0 when there is none), the exit code and what went wrong.
func exchange(wish *wish, out, messages io.Writer) (int, int, error) {
	address, err := url.Parse(wish.url)
	if err != nil || address.Host == "" || (address.Scheme != "http" && address.Scheme != "https") {
		return 0, codeBadURL, fmt.Errorf("%q is no http address", wish.url)
	}
	ctx := context.Background()
	if wish.limit > 0 {
		limited, cancel := context.WithTimeout(ctx, wish.limit)
		defer cancel()
		ctx = limited
	}
	request, err := http.NewRequestWithContext(ctx, wish.method, wish.url, strings.NewReader(wish.data))
	if err != nil {
		return 0, codeBadURL, err
	}
	request.Header = wish.headers
	if request.Header.Get("User-Agent") == "" {
		request.Header.Set("User-Agent", "toolbox-fetch/1")
	}
	if host := request.Header.Get("Host"); host != "" {
		request.Host = host
	}
	if wish.verbose {
		fmt.Fprintf(messages, "> %s %s HTTP/1.1\n> Host: %s\n", wish.method, address.RequestURI(), address.Host)
		printHeader(messages, "> ", request.Header)
		fmt.Fprintln(messages, ">")
	}
	answer, err := client(wish).Do(request)
	if err != nil {
		code, explained := explain(err, address)
		return 0, code, explained
	}
	defer answer.Body.Close()
	return deliver(wish, address, answer, out, messages)
}

func client(wish *wish) *http.Client {
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext:       (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		// Only when asked with -k, as in curl.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: wish.insecure},
	}
	client := &http.Client{Transport: transport}
	if !wish.follow {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return client
}

func deliver(wish *wish, address *url.URL, answer *http.Response, out, messages io.Writer) (int, int, error) {
	if wish.verbose {
		fmt.Fprintf(messages, "< %s %s\n", answer.Proto, answer.Status)
		printHeader(messages, "< ", answer.Header)
		fmt.Fprintln(messages, "<")
	}
	if wish.include || wish.head {
		fmt.Fprintf(out, "%s %s\n", answer.Proto, answer.Status)
		printHeader(out, "", answer.Header)
		fmt.Fprintln(out)
	}
	if wish.fail && answer.StatusCode >= 400 {
		return answer.StatusCode, codeStatus, fmt.Errorf("the server answered %s", answer.Status)
	}
	if wish.head {
		return answer.StatusCode, 0, nil
	}
	target, err := open(wish.output, address, out)
	if err != nil {
		return answer.StatusCode, codeWrite, err
	}
	defer target.Close()
	if _, err := io.Copy(target, answer.Body); err != nil {
		code, explained := explain(err, address)
		return answer.StatusCode, code, explained
	}
	return answer.StatusCode, 0, nil
}

type keepOpen struct{ io.Writer }

func (keepOpen) Close() error { return nil }

func open(output string, address *url.URL, out io.Writer) (io.WriteCloser, error) {
	if output == "" || output == "-" {
		return keepOpen{out}, nil
	}
	if output == "by name" {
		output = path.Base(address.Path)
		if output == "/" || output == "." {
			output = "index.html"
		}
	}
	return os.Create(output)
}

func printHeader(out io.Writer, prefix string, header http.Header) {
	names := make([]string, 0, len(header))
	for name := range header {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Fprintf(out, "%s%s: %s\n", prefix, name, strings.Join(header[name], ", "))
	}
}

// explain turns an error into curl's exit code and a sentence for a beginner.
func explain(err error, address *url.URL) (int, error) {
	var dns *net.DNSError
	var timeout net.Error
	port := address.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[address.Scheme]
	}
	where := fmt.Sprintf("%s port %s", address.Hostname(), port)
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return codeNoName, fmt.Errorf("Could not resolve host: %s", address.Hostname())
	case errors.As(err, &dns):
		return codeNoName, fmt.Errorf("DNS did not answer for %s", address.Hostname())
	case errors.Is(err, syscall.ECONNREFUSED):
		return codeRefused, fmt.Errorf("Failed to connect to %s: Connection refused", where)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return codeTimeout, fmt.Errorf("No answer from %s in time", where)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return codeRefused, fmt.Errorf("Failed to connect to %s: No route to host", where)
	case errors.Is(err, syscall.ECONNRESET):
		return codeReset, fmt.Errorf("Connection reset by %s", where)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return codeEmpty, fmt.Errorf("Empty reply from %s", where)
	}
	return unnamedTrouble, err
}
