package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/url"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

const (
	mostRate     = 60.0 // requests a second of one load
	longestLoad  = 120 * time.Second
	mostLoads    = 2     // of one sandbox at a time
	mostRateEver = 600.0 // of all loads together
	// mostFailures is how many failures of one second are told one by one.
	mostFailures   = 20
	mostPodsToTell = 32
	stranger       = "answered by a stranger"
)

// load is traffic of many customers: so many requests a second, for a while,
// in a shape, to one Service of one namespace.
type load struct {
	ID        string  `json:"id"`
	HTTP      string  `json:"http"`
	Within    string  `json:"within"` // the only domain it may speak to, with its final dot
	Script    string  `json:"script"`
	Shape     string  `json:"shape"`
	Rate      float64 `json:"rate"`
	ForMS     int64   `json:"for_ms"`
	TimeoutMS int64   `json:"timeout_ms"`
	Seed      uint64  `json:"seed"`
}

// second is what became known of a load within one second. Sent counts the
// requests whose outcome is known by now, so that sent and failed always fit.
type second struct {
	Op        string         `json:"op"`
	ID        string         `json:"id"`
	N         int            `json:"n"`
	Sent      int            `json:"sent"`
	Failed    int            `json:"failed"`
	P95       *float64       `json:"p95"` // ms; null when nothing was answered or timed out
	Pods      map[string]int `json:"pods"`
	Lost      int            `json:"lost"`
	Untold    int            `json:"untold"`
	latencies []float64
}

type failure struct {
	Op     string  `json:"op"`
	ID     string  `json:"id"`
	Status int     `json:"status"`
	MS     float64 `json:"ms"`
	Error  string  `json:"error"`
	PodUID string  `json:"pod_uid"`
}

func (l *load) check() error {
	address, err := url.Parse(l.HTTP)
	if err != nil {
		return err
	}
	known := scripts[l.Script] != nil
	_, shaped := shapes[l.Shape]
	switch {
	case l.ID == "":
		return errors.New("a load needs an id")
	case address.Scheme != "http" || !isService(address.Hostname(), l.Within):
		return fmt.Errorf("%q is no Service within %q", l.HTTP, l.Within)
	case !known:
		return fmt.Errorf("no script %q", l.Script)
	case !shaped:
		return fmt.Errorf("no shape %q", l.Shape)
	case !(l.Rate > 0 && l.Rate <= mostRate):
		return fmt.Errorf("rate is %g, at most %g a second", l.Rate, mostRate)
	case l.ForMS < 1 || l.lasting() > longestLoad:
		return fmt.Errorf("for_ms is %d, at most %d", l.ForMS, longestLoad.Milliseconds())
	case l.TimeoutMS < 1 || l.TimeoutMS > longestTimeout:
		return fmt.Errorf("timeout_ms is %d, it must be 1 to %d", l.TimeoutMS, longestTimeout)
	}
	return nil
}

// isService: one name directly below `within`, which itself is one namespace
// of Services. No address and no other namespace is.
func isService(host, within string) bool {
	name, found := strings.CutSuffix(host, "."+within)
	labels := strings.Split(within, ".")
	return found && name != "" && !strings.Contains(name, ".") && net.ParseIP(host) == nil &&
		len(labels) > 2 && labels[0] != "" && labels[1] == "svc" && strings.HasSuffix(within, ".")
}

func (l *load) lasting() time.Duration { return time.Duration(l.ForMS) * time.Millisecond }
func (l *load) timeout() time.Duration { return time.Duration(l.TimeoutMS) * time.Millisecond }

// run sends on schedule until its time is over or `end` is closed, waits for
// what is still open, and tells every second what happened. A cancelled ctx
// ends it at once.
func (l *load) run(ctx context.Context, end <-chan struct{}, report func(any)) {
	tally := newTally(l.ID, report)
	begun := time.Now()
	told := make(chan struct{})
	go tally.tellEverySecond(begun, told)
	var visits sync.WaitGroup
	l.send(ctx, end, begun, tally, &visits)
	visits.Wait()
	close(told)
	tally.flush()
}

func (l *load) send(ctx context.Context, end <-chan struct{}, begun time.Time, tally *tally, visits *sync.WaitGroup) {
	script, due := scripts[l.Script], shapes[l.Shape]
	chance := rand.New(rand.NewPCG(l.Seed, 0))
	pace := l.Rate / float64(script.requests)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for n := 0; ; n++ {
		at := due(n, pace, l.lasting())
		if at >= l.lasting() {
			return
		}
		customer := script.arrive(n, chance)
		timer.Reset(time.Until(begun.Add(at)))
		select {
		case <-ctx.Done():
			return
		case <-end:
			return
		case <-timer.C:
		}
		visits.Go(func() { customer(visit{l, ctx, tally}) })
	}
}

// shapes: when the n-th customer of a load comes (from 0), after its start.
var shapes = map[string]func(n int, pace float64, lasting time.Duration) time.Duration{
	"steady": func(n int, pace float64, _ time.Duration) time.Duration {
		return seconds(float64(n) / pace)
	},
	// From nothing to the full pace at the end: half as many customers as steady.
	"ramp": func(n int, pace float64, lasting time.Duration) time.Duration {
		return seconds(math.Sqrt(2 * float64(n) * lasting.Seconds() / pace))
	},
	// Two seconds at full pace, three of quiet, again and again.
	"burst": func(n int, pace float64, _ time.Duration) time.Duration {
		const busy, period = 2.0, 5.0
		at := float64(n) / pace
		waves := float64(int(at / busy))
		return seconds(waves*period + at - waves*busy)
	},
}

// tally collects one second and tells it.
type tally struct {
	lock   sync.Mutex
	now    second
	report func(any)
}

func newTally(id string, report func(any)) *tally {
	return &tally{report: report, now: second{Op: "second", ID: id, N: 1, Pods: map[string]int{}}}
}

func (t *tally) tellEverySecond(begun time.Time, told <-chan struct{}) {
	for n := 1; ; n++ {
		select {
		case <-told:
			return
		case <-time.After(time.Until(begun.Add(time.Duration(n) * time.Second))):
			t.flush()
		}
	}
}

func (t *tally) flush() {
	t.lock.Lock()
	said := t.now
	t.now = second{Op: "second", ID: said.ID, N: said.N + 1, Pods: map[string]int{}}
	t.lock.Unlock()
	said.P95 = p95(said.latencies)
	t.report(said)
}

// note takes the outcome of one request. What got no answer has no latency,
// but for one that was waited for in vain: it took as long as we waited.
func (t *tally) note(nonce string, heard answer, err error, took float64, fine []int) {
	t.lock.Lock()
	defer t.lock.Unlock()
	wrong := nameError(err)
	if err == nil && (heard.nonce != nonce || heard.podUID == "") {
		wrong = stranger
	}
	t.now.Sent++
	if wrong == "" || wrong == "timeout" {
		t.now.latencies = append(t.now.latencies, took)
	}
	if wrong == "" && (t.now.Pods[heard.podUID] > 0 || len(t.now.Pods) < mostPodsToTell) {
		t.now.Pods[heard.podUID]++
	}
	if wrong == "" && (heard.status < 400 || slices.Contains(fine, heard.status)) {
		return
	}
	t.now.Failed++
	if t.now.Failed > mostFailures {
		t.now.Untold++
		return
	}
	t.report(failure{"failure", t.now.ID, heard.status, took, wrong, heard.podUID})
}

func (t *tally) lose() {
	t.lock.Lock()
	t.now.Lost++
	t.lock.Unlock()
}

// p95 is the nearest-rank 95th percentile.
func p95(latencies []float64) *float64 {
	if len(latencies) == 0 {
		return nil
	}
	sort.Float64s(latencies)
	rank := (len(latencies)*95 + 99) / 100
	return &latencies[rank-1]
}
