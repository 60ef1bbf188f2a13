package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

const (
	mostBody = 64 << 10
	prober   = "glasshull-prober" // asks four times a second: not worth a log line each
)

// app answers the service port.
type app struct {
	version  string
	uid      string
	started  string
	leaving  atomic.Bool
	switches *switches
	metrics  *metrics
	tracing  *tracing
	pace     *pace
	pages    *http.ServeMux
}

func newApp() (*app, error) {
	pace, err := newPace()
	if err != nil {
		return nil, err
	}
	app := &app{
		version: variable("APP_VERSION", "1.0"), uid: podUID(),
		switches: newSwitches(), metrics: newMetrics(), tracing: newTracing("stock"), pace: pace,
	}
	if words := variable("SWITCH", ""); words != "" {
		if err := app.switches.turn(words); err != nil {
			return nil, err
		}
	}
	app.pages = http.NewServeMux()
	app.pages.HandleFunc("GET /healthz", app.healthz)
	app.pages.HandleFunc("GET /readyz", app.readyz)
	app.pages.HandleFunc("GET /metrics", app.showMetrics)
	app.pages.HandleFunc("GET /whoami", app.whoami)
	newShelves().register(app.pages)
	return app, nil
}

// ServeHTTP does for every request what chandlery/app.py does.
func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begun := time.Now()
	shop := r.URL.Path != "/healthz" && r.URL.Path != "/readyz" && r.URL.Path != "/metrics"
	trace := a.tracing.begin(r.Header)
	a.metrics.begin()
	answer := &counted{ResponseWriter: w, status: 499} // the client left first
	defer func() {
		seconds := time.Since(begun).Seconds()
		route := a.route(r)
		a.metrics.end(route, answer.status, seconds, shop)
		if shop {
			a.tracing.report(trace, route, r.Method, answer.status, seconds)
		}
		if shop && r.UserAgent() != prober {
			say("%s %s %d %.0f ms", r.Method, printable(r.URL.Path), answer.status, seconds*1000)
		}
	}()
	a.sign(answer.Header(), r)
	if !a.switches.outlastHang(r.Context()) {
		return
	}
	if shop {
		a.switches.wait()
		if a.switches.nextFails() {
			problem(answer, 500, "switched to fail")
			return
		}
		a.pace.work()
	}
	r.Body = http.MaxBytesReader(answer, r.Body, mostBody)
	if _, pattern := a.pages.Handler(r); pattern == "" {
		a.refusePage(answer, r)
		return
	}
	a.pages.ServeHTTP(answer, r)
}

// refusePage answers what no page answers: in JSON like everything else.
func (a *app) refusePage(w http.ResponseWriter, r *http.Request) {
	for _, method := range []string{"GET", "POST"} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := a.pages.Handler(other); pattern != "" {
			problem(w, 405, fmt.Sprintf("%s answers %s only", printable(r.URL.Path), method))
			return
		}
	}
	problem(w, 404, "no page "+printable(r.URL.Path)+" here")
}

// route is the page's name in metrics: as it was registered, or "other".
func (a *app) route(r *http.Request) string {
	_, pattern := a.pages.Handler(r)
	if pattern == "" {
		return "other"
	}
	_, path, _ := strings.Cut(pattern, " ")
	if below, _, found := strings.Cut(path, "{"); found {
		return below + "*"
	}
	return path
}

// sign says who answers, so that no page has to repeat the nonce in its text.
func (a *app) sign(header http.Header, r *http.Request) {
	if a.uid != "" {
		header.Set("X-Glasshull-Pod-Uid", a.uid)
	}
	if nonce := nonceOf(r); nonce != "" {
		header.Set("X-Glasshull-Nonce", nonce)
	}
}

func (a *app) healthz(w http.ResponseWriter, _ *http.Request) {
	if !a.switches.isLive() {
		problem(w, 503, "switched off")
		return
	}
	answer(w, 200, map[string]any{"live": true})
}

func (a *app) readyz(w http.ResponseWriter, _ *http.Request) {
	switch {
	case a.leaving.Load():
		problem(w, 503, "leaving")
	case !a.switches.isReady():
		problem(w, 503, "switched off")
	default:
		answer(w, 200, map[string]any{"ready": true})
	}
}

func (a *app) showMetrics(w http.ResponseWriter, _ *http.Request) {
	text := a.metrics.render()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	io.WriteString(w, text)
}

func (a *app) whoami(w http.ResponseWriter, r *http.Request) {
	host, _ := os.Hostname()
	address, _, _ := strings.Cut(localAddress(r), ":")
	answer(w, 200, map[string]any{
		"app": "stock", "version": a.version, "pod": variable("POD_NAME", host), "podUid": a.uid,
		"node": variable("NODE_NAME", ""), "ip": variable("POD_IP", address), "zone": variable("ZONE", ""),
		"started": a.started, "served": a.metrics.servedCount(), "nonce": nonceOf(r),
	})
}

// administer answers the admin port.
func (a *app) administer(w http.ResponseWriter, r *http.Request) {
	a.sign(w.Header(), r)
	switch {
	case r.URL.Path == "/metrics":
		a.showMetrics(w, r) // here, too: an app that stands still can be looked at
		return
	case r.URL.Path != "/switch":
		problem(w, 404, "the admin port knows /switch and /metrics")
		return
	case r.Method == "POST":
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
		if err == nil {
			err = a.switches.turn(string(body))
		}
		if err != nil {
			problem(w, 400, err.Error())
			return
		}
		say("switched: %s", strings.Join(strings.Fields(string(body)), " "))
		if code, ending := a.switches.exitCode(); ending {
			os.Exit(code)
		}
		a.switches.follow()
	case r.Method != "GET":
		problem(w, 405, "GET or POST")
		return
	}
	answer(w, 200, a.switches.describe())
}

// counted remembers the status it passes on.
type counted struct {
	http.ResponseWriter
	status int
}

func (c *counted) WriteHeader(status int) {
	c.status = status
	c.ResponseWriter.WriteHeader(status)
}

func (c *counted) Write(data []byte) (int, error) {
	if c.status == 499 {
		c.status = 200
	}
	return c.ResponseWriter.Write(data)
}

func answer(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		status, body = 500, []byte(`{"error":"this page failed"}`)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	w.Write(body)
}

func problem(w http.ResponseWriter, status int, text string) {
	answer(w, status, map[string]any{"error": text})
}

// readBody reads a JSON map; its error is a sentence for the client.
func readBody(r *http.Request, into any) error {
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		return errors.New("the body is no JSON: it cannot be read")
	}
	return nil
}
