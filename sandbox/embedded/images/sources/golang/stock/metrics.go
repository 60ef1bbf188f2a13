package main

import (
	"fmt"
	"sort"
	"strings"
	"sync"
)

var buckets = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10} // seconds

// metrics counts in Prometheus' text format; served counts answers of the shop, not health checks.
type metrics struct {
	lock     sync.Mutex
	requests map[string]int // by labels
	places   []int          // requests per bucket, the last one for everything slower
	seconds  float64
	open     int
	served   int
}

func newMetrics() *metrics {
	return &metrics{requests: map[string]int{}, places: make([]int, len(buckets)+1)}
}

func (m *metrics) begin() {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.open++
}

func (m *metrics) end(route string, code int, seconds float64, shop bool) {
	place := sort.SearchFloat64s(buckets, seconds)
	m.lock.Lock()
	defer m.lock.Unlock()
	m.open--
	if shop {
		m.served++
	}
	m.requests[fmt.Sprintf(`route="%s",code="%d"`, route, code)]++
	m.places[place]++
	m.seconds += seconds
}

func (m *metrics) inflight() int {
	m.lock.Lock()
	defer m.lock.Unlock()
	return m.open
}

func (m *metrics) servedCount() int {
	m.lock.Lock()
	defer m.lock.Unlock()
	return m.served
}

func (m *metrics) render() string {
	m.lock.Lock()
	defer m.lock.Unlock()
	var text strings.Builder
	labels := make([]string, 0, len(m.requests))
	for each := range m.requests {
		labels = append(labels, each)
	}
	sort.Strings(labels)
	text.WriteString("# TYPE shop_requests_total counter\n")
	for _, each := range labels {
		fmt.Fprintf(&text, "shop_requests_total{%s} %d\n", each, m.requests[each])
	}
	text.WriteString("# TYPE shop_request_seconds histogram\n")
	total := 0
	for i, count := range m.places {
		bound := "+Inf"
		if i < len(buckets) {
			bound = fmt.Sprint(buckets[i])
		}
		total += count
		fmt.Fprintf(&text, "shop_request_seconds_bucket{le=%q} %d\n", bound, total)
	}
	fmt.Fprintf(&text, "shop_request_seconds_sum %.6f\nshop_request_seconds_count %d\n", m.seconds, total)
	fmt.Fprintf(&text, "# TYPE shop_inflight gauge\nshop_inflight %d\n", m.open)
	fmt.Fprintf(&text, "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes %d\n", residentBytes())
	return text.String()
}
