package main

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// pace makes a request take a known time; see chandlery/pacing.py.
type pace struct {
	worker   sync.Mutex
	duration time.Duration
	burns    bool
}

func newPace() (*pace, error) {
	work, err := number(variable("WORK_MS", "0"))
	if err != nil {
		return nil, fmt.Errorf("WORK_MS: %w", err)
	}
	limit, err := number(variable("CPU_LIMIT_M", "100"))
	if err != nil {
		return nil, fmt.Errorf("CPU_LIMIT_M: %w", err)
	}
	if work < 0 || limit <= 0 {
		return nil, errors.New("WORK_MS must not be negative, CPU_LIMIT_M must be above 0")
	}
	burns := variable("PACE", "") == "cpu"
	if !burns {
		work = work * 100 / limit
	}
	return &pace{duration: time.Duration(work * float64(time.Millisecond)), burns: burns}, nil
}

// work waits for the worker, then for its work.
func (p *pace) work() {
	if p.duration == 0 {
		return
	}
	p.worker.Lock()
	defer p.worker.Unlock()
	if !p.burns {
		time.Sleep(p.duration)
		return
	}
	for until := cpuTime() + p.duration; cpuTime() < until; {
	}
}
