package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// shop answers as an app of the shop does, and remembers what it was asked.
type shop struct {
	*httptest.Server
	lock    sync.Mutex
	asked   []string
	baskets map[string]string
	forget  bool
}

func newShop(t *testing.T, answer func(s *shop, w http.ResponseWriter, r *http.Request)) *shop {
	t.Helper()
	made := &shop{baskets: map[string]string{}}
	made.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(nonceHeader, r.Header.Get(nonceHeader))
		w.Header().Set(podUIDHeader, "uid-1")
		made.lock.Lock()
		defer made.lock.Unlock()
		body, _ := io.ReadAll(r.Body)
		made.asked = append(made.asked, r.Method+" "+r.URL.Path+" "+r.Header.Get("Cookie")+" "+string(body))
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		answer(made, w, r)
	}))
	t.Cleanup(made.Close)
	return made
}

func (s *shop) seen() []string {
	s.lock.Lock()
	defer s.lock.Unlock()
	return append([]string(nil), s.asked...)
}

// drive runs a load against a local server, past the check of its address.
func drive(t *testing.T, load load) (seconds []second, failures []failure) {
	t.Helper()
	var lock sync.Mutex
	load.ID, load.TimeoutMS = "box/rush", 300
	load.run(t.Context(), nil, func(line any) {
		lock.Lock()
		defer lock.Unlock()
		switch line := line.(type) {
		case second:
			seconds = append(seconds, line)
		case failure:
			failures = append(failures, line)
		}
	})
	return seconds, failures
}

func total(seconds []second) (sent, failed, lost, untold int) {
	for _, each := range seconds {
		sent, failed = sent+each.Sent, failed+each.Failed
		lost, untold = lost+each.Lost, untold+each.Untold
	}
	return sent, failed, lost, untold
}

func ok(*shop, http.ResponseWriter, *http.Request) {}

func TestALoadSendsItsRateAndTellsEverySecond(t *testing.T) {
	server := newShop(t, ok)
	seconds, failures := drive(t, load{HTTP: server.URL + "/x", Shape: "steady", Rate: 20, ForMS: 2500})
	sent, failed, _, _ := total(seconds)
	if sent != 50 || failed != 0 || len(failures) != 0 || len(seconds) != 3 {
		t.Fatalf("sent %d failed %d in %d seconds", sent, failed, len(seconds))
	}
	first := seconds[0]
	if first.N != 1 || first.Sent < 19 || first.Sent > 21 || first.P95 == nil || first.Pods["uid-1"] != first.Sent {
		t.Fatalf("%+v", first)
	}
}

func TestAHangingShopIsTimeoutsAndDelaysNobody(t *testing.T) {
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer hangs.Close()
	begun := time.Now()
	seconds, failures := drive(t, load{HTTP: hangs.URL, Shape: "steady", Rate: 20, ForMS: 1000})
	sent, failed, _, untold := total(seconds)
	if sent != 20 || failed != 20 || len(failures)+untold != 20 || time.Since(begun) > 2*time.Second {
		t.Fatalf("sent %d failed %d told %d in %v", sent, failed, len(failures), time.Since(begun))
	}
	if failures[0].Error != "timeout" || *seconds[0].P95 < 300 {
		t.Fatalf("%+v %+v", failures[0], seconds[0])
	}
}

func TestMoreFailuresThanFitASecondAreCountedAndSaidSo(t *testing.T) {
	server := newShop(t, func(_ *shop, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	seconds, failures := drive(t, load{HTTP: server.URL, Shape: "steady", Rate: 60, ForMS: 900})
	_, failed, _, untold := total(seconds)
	if failed != 54 || len(failures) != mostFailures || untold != failed-mostFailures || failures[0].Status != 500 {
		t.Fatalf("failed %d told %d untold %d", failed, len(failures), untold)
	}
}

func TestAnAnswerWithoutTheNonceIsAStrangers(t *testing.T) {
	server := newShop(t, func(_ *shop, w http.ResponseWriter, _ *http.Request) { w.Header().Set(nonceHeader, "other") })
	seconds, failures := drive(t, load{HTTP: server.URL, Shape: "steady", Rate: 10, ForMS: 300})
	sent, failed, _, _ := total(seconds)
	if sent != 3 || failed != 3 || failures[0].Error != stranger || seconds[0].P95 != nil || len(seconds[0].Pods) != 0 {
		t.Fatalf("%+v %+v", seconds, failures)
	}
}

// baskets keeps what is put in, by cookie; a shop that forgets shows empty ones.
func baskets(s *shop, w http.ResponseWriter, r *http.Request) {
	cookie := r.Header.Get("Cookie")
	if r.Method == http.MethodPost {
		body, _ := io.ReadAll(r.Body)
		s.baskets[cookie] = string(body)
	} else if s.forget {
		w.WriteHeader(http.StatusNotFound)
	} else {
		fmt.Fprint(w, s.baskets[cookie])
	}
}

func TestABasketIsPutAndReadBack(t *testing.T) {
	server := newShop(t, baskets)
	seconds, _ := drive(t, load{HTTP: server.URL, Script: "basket", Shape: "steady", Rate: 20, ForMS: 1000})
	if sent, failed, lost, _ := total(seconds); sent != 20 || failed != 0 || lost != 0 {
		t.Fatalf("sent %d failed %d lost %d", sent, failed, lost)
	}
	server.forget = true
	seconds, failures := drive(t, load{HTTP: server.URL, Script: "basket", Shape: "steady", Rate: 20, ForMS: 1000})
	if _, failed, lost, _ := total(seconds); failed != 0 || lost != 10 || len(failures) != 0 {
		t.Fatalf("failed %d lost %d", failed, lost)
	}
}

func TestOneSeedGivesTheSameCustomersAndOrdersAreUnique(t *testing.T) {
	var runs [3][]string
	for n, seed := range []uint64{7, 7, 8} {
		server := newShop(t, ok)
		drive(t, load{HTTP: server.URL, Script: "order", Shape: "steady", Rate: 20, ForMS: 500, Seed: seed})
		runs[n] = server.seen()
	}
	if fmt.Sprint(runs[0]) != fmt.Sprint(runs[1]) || fmt.Sprint(runs[0]) == fmt.Sprint(runs[2]) {
		t.Fatalf("%v", runs)
	}
	ids := map[string]bool{}
	for _, line := range runs[0] {
		var order struct {
			ID    string
			Items map[string]int
		}
		if err := json.Unmarshal([]byte(line[strings.Index(line, "{"):]), &order); err != nil || ids[order.ID] || len(order.Items) != 1 {
			t.Fatalf("%q: %v", line, err)
		}
		ids[order.ID] = true
	}
	if len(ids) != 10 {
		t.Fatalf("%d orders", len(ids))
	}
}

func TestBrowseAsksForTheItems(t *testing.T) {
	server := newShop(t, ok)
	drive(t, load{HTTP: server.URL + "/elsewhere", Script: "browse", Shape: "steady", Rate: 10, ForMS: 150})
	if asked := server.seen(); !strings.HasPrefix(asked[0], "GET /items ") {
		t.Fatalf("%v", asked)
	}
}

func TestShapes(t *testing.T) {
	lasting := 20 * time.Second
	count := func(shape string) (whole, early int) {
		for n := 0; ; n++ {
			at := shapes[shape](n, 10, lasting)
			if at >= lasting {
				return whole, early
			}
			if at < 2*time.Second {
				early++
			}
			whole++
		}
	}
	for shape, wanted := range map[string][2]int{"steady": {200, 20}, "ramp": {100, 1}, "burst": {80, 20}} {
		if whole, early := count(shape); [2]int{whole, early} != wanted {
			t.Errorf("%s: %d in all, %d in the first 2 s", shape, whole, early)
		}
	}
}

func TestALoadStaysInItsNamespaceAndInItsBounds(t *testing.T) {
	good := load{ID: "box/rush", HTTP: "http://storefront.gh-a.svc.cluster.local.:80/items", Shape: "steady",
		Within: "gh-a.svc.cluster.local.", Rate: 60, ForMS: 120_000, TimeoutMS: 2000}
	if err := good.check(); err != nil {
		t.Fatal(err)
	}
	bad := map[string]func(*load){
		"another namespace":  func(l *load) { l.HTTP = "http://storefront.gh-b.svc.cluster.local.:80/" },
		"the system":         func(l *load) { l.HTTP = "http://kubernetes.default.svc.cluster.local.:443/" },
		"a deeper name":      func(l *load) { l.HTTP = "http://a.b.gh-a.svc.cluster.local.:80/" },
		"an address":         func(l *load) { l.HTTP = "http://10.1.2.3:80/" },
		"an open fence":      func(l *load) { l.HTTP, l.Within = "http://example.com.:80/", "com." },
		"no fence":           func(l *load) { l.Within = "" },
		"a user in the name": func(l *load) { l.HTTP = "http://x.gh-a.svc.cluster.local.@10.1.2.3/" },
		"https":              func(l *load) { l.HTTP = "https://storefront.gh-a.svc.cluster.local.:80/" },
		"too fast":           func(l *load) { l.Rate = 61 },
		"standing still":     func(l *load) { l.Rate = 0 },
		"too long":           func(l *load) { l.ForMS = 120_001 },
		"no time":            func(l *load) { l.ForMS = 0 },
		"patient":            func(l *load) { l.TimeoutMS = 30_001 },
		"unknown script":     func(l *load) { l.Script = "steal" },
		"unknown shape":      func(l *load) { l.Shape = "" },
		"nameless":           func(l *load) { l.ID = "" },
	}
	for name, change := range bad {
		changed := good
		change(&changed)
		if changed.check() == nil {
			t.Errorf("%s was allowed", name)
		}
	}
}

func TestTwoLoadsOfASandboxAndABoundOnAll(t *testing.T) {
	input, lines, _ := session(t, time.Minute)
	start := func(id string, rate float64) {
		fmt.Fprintf(input, `{"op":"load","id":%q,"http":"http://nobody.gh-a.svc.invalid.:80/","within":"gh-a.svc.invalid.",`+
			`"shape":"ramp","rate":%g,"for_ms":120000,"timeout_ms":1000}`+"\n", id, rate)
	}
	refusals := func() (refused []string) {
		fmt.Fprintln(input, `{"op":"ping"}`)
		for line := next(t, lines); line["op"] != "pong"; line = next(t, lines) {
			if line["op"] == "error" {
				refused = append(refused, line["id"].(string))
			}
		}
		return refused
	}
	start("a/1", 60)
	start("a/2", 60)
	start("a/3", 1)
	start("a/1", 1)
	if said := fmt.Sprint(refusals()); said != "[a/3 a/1]" {
		t.Fatal(said)
	}
	for n := range 9 {
		start(fmt.Sprintf("b%d/1", n), 60)
	}
	if said := fmt.Sprint(refusals()); said != "[b8/1]" {
		t.Fatal(said)
	}
	fmt.Fprintln(input, `{"op":"stop","id":"a/2"}`)
	start("a/3", 60)
	if said := refusals(); len(said) != 0 {
		t.Fatal(said)
	}
}

func TestALoadThatIsEndedFinishesAndSaysSo(t *testing.T) {
	input, lines, _ := session(t, time.Minute)
	fmt.Fprintln(input, `{"op":"load","id":"a/1","http":"http://nobody.gh-a.svc.invalid.:80/","within":"gh-a.svc.invalid.",`+
		`"shape":"steady","rate":10,"for_ms":60000,"timeout_ms":1000}`)
	for next(t, lines)["op"] != "failure" {
	}
	fmt.Fprintln(input, `{"op":"end","id":"a/1"}`)
	sum := map[string]float64{}
	for line := next(t, lines); line["op"] != "ended"; line = next(t, lines) {
		if line["op"] == "second" {
			sum["failed"] += line["failed"].(float64)
		}
	}
	if sum["failed"] < 1 {
		t.Fatal("the last second was not told")
	}
	fmt.Fprintln(input, `{"op":"load","id":"a/1","http":"http://nobody.gh-a.svc.invalid.:80/","within":"gh-a.svc.invalid.",`+
		`"shape":"steady","rate":10,"for_ms":100,"timeout_ms":1000}`)
	for next(t, lines)["op"] != "ended" {
	}
}

func TestNearestRank(t *testing.T) {
	if p95(nil) != nil {
		t.Fatal("no latency has no percentile")
	}
	var hundred []float64
	for n := range 100 {
		hundred = append(hundred, float64(n+1))
	}
	rand.Shuffle(100, func(a, b int) { hundred[a], hundred[b] = hundred[b], hundred[a] })
	if *p95(hundred) != 95 || *p95([]float64{3}) != 3 || *p95([]float64{9, 1, 5, 7}) != 9 {
		t.Fatal("not the nearest rank")
	}
}

func TestAskingOnceAndMemory(t *testing.T) {
	server := newShop(t, func(_ *shop, w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" {
			fmt.Fprint(w, "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes 1.2345e+07\n")
		}
	})
	input, lines, _ := session(t, time.Minute)
	fmt.Fprintf(input, `{"op":"ask","id":"q1","http":"%s/switch","method":"POST","body":"slow=1s","timeout_ms":1000}`+"\n", server.URL)
	line := next(t, lines)
	if line["op"] != "answer" || line["id"] != "q1" || line["status"] != 200.0 || line["echo_pod_uid"] != "uid-1" {
		t.Fatalf("%v", line)
	}
	if asked := server.seen(); asked[0] != "POST /switch  slow=1s" {
		t.Fatalf("%q", asked)
	}
	_, metricsPort, _ = strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	defer func() { metricsPort = "8080" }()
	fmt.Fprintln(input, `{"op":"memory","id":"box","pods":{"uid-1":"127.0.0.1","uid-2":"127.0.0.1"}}`)
	line = next(t, lines)
	if line["op"] != "memory" || fmt.Sprint(line["memory"]) != "map[uid-1:1.2345e+07]" {
		t.Fatalf("a Pod's memory under another's name: %v", line)
	}
}
