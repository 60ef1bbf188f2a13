package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	mostMeasured   = 32
	longestMetrics = 64 << 10
	memoryMetric   = "process_resident_memory_bytes "
	memoryTimeout  = time.Second
)

// metricsPort is a variable only for the tests.
var metricsPort = "8080"

// memory asks Pods how much memory they use, once. Pods maps uid to address.
type memory struct {
	ID   string            `json:"id"`
	Pods map[string]string `json:"pods"`
}

type measured struct {
	Op     string           `json:"op"`
	ID     string           `json:"id"`
	Memory map[string]int64 `json:"memory"`
}

func (m memory) check() error {
	if m.ID == "" || len(m.Pods) == 0 || len(m.Pods) > mostMeasured {
		return errors.New("memory needs an id and 1 to 32 pods")
	}
	for _, address := range m.Pods {
		if net.ParseIP(address) == nil {
			return errors.New("no address: " + address)
		}
	}
	return nil
}

// ask leaves out Pods that do not answer, or whose address belongs to another Pod by now.
func (m memory) ask(ctx context.Context) measured {
	ctx, cancel := context.WithTimeout(ctx, memoryTimeout)
	defer cancel()
	said := measured{Op: "memory", ID: m.ID, Memory: map[string]int64{}}
	var lock sync.Mutex
	var all sync.WaitGroup
	for uid, address := range m.Pods {
		all.Go(func() {
			if bytes, ok := resident(ctx, uid, address); ok {
				lock.Lock()
				said.Memory[uid] = bytes
				lock.Unlock()
			}
		})
	}
	all.Wait()
	return said
}

func resident(ctx context.Context, uid, address string) (int64, bool) {
	url := "http://" + net.JoinHostPort(address, metricsPort) + "/metrics"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, false
	}
	request.Header.Set("User-Agent", "glasshull-prober")
	heard, err := transport.RoundTrip(request)
	if err != nil {
		return 0, false
	}
	defer heard.Body.Close()
	body, err := io.ReadAll(io.LimitReader(heard.Body, longestMetrics))
	if err != nil || heard.StatusCode != http.StatusOK || heard.Header.Get(podUIDHeader) != uid {
		return 0, false
	}
	return readMemory(string(body))
}

func readMemory(metrics string) (int64, bool) {
	for line := range strings.SplitSeq(metrics, "\n") {
		if value, found := strings.CutPrefix(line, memoryMetric); found {
			bytes, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return int64(bytes), err == nil && bytes >= 0 && bytes < 1<<50
		}
	}
	return 0, false
}
