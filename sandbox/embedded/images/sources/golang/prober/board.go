package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// mostQuestions bounds what is asked once, outside any probe, at a time.
const mostQuestions = 64

// task is a probe or a load that runs; `end` lets a load finish what it sent.
type task struct {
	id     string
	cancel context.CancelFunc
	end    func()
	rate   float64 // of a load; 0 for a probe
}

// board holds what runs, by id. Only run's loop touches the map.
type board struct {
	ctx       context.Context
	running   map[string]*task
	over      chan *task
	questions chan struct{}
	report    func(any)
}

func newBoard(ctx context.Context, report func(any)) *board {
	return &board{
		ctx:       ctx,
		running:   map[string]*task{},
		over:      make(chan *task),
		questions: make(chan struct{}, mostQuestions),
		report:    report,
	}
}

func (b *board) obey(line []byte) {
	var command command
	if err := json.Unmarshal(line, &command); err != nil {
		b.refuse("", fmt.Errorf("not a command: %w", err))
		return
	}
	switch command.Op {
	case "ping":
		b.report(notice{Op: "pong"})
	case "probe":
		obeyed(b, command.ID, line, b.startProbe)
	case "load":
		obeyed(b, command.ID, line, b.startLoad)
	case "ask":
		obeyed(b, command.ID, line, b.ask)
	case "memory":
		obeyed(b, command.ID, line, b.measure)
	case "end":
		if task := b.running[command.ID]; task != nil && task.end != nil {
			task.end()
		}
	case "stop":
		b.stop(func(id string) bool { return id == command.ID })
	case "stop-all":
		b.stop(func(id string) bool { return strings.HasPrefix(id, command.Prefix) })
	default:
		b.refuse(command.ID, fmt.Errorf("unknown op %q", command.Op))
	}
}

// obeyed reads the whole line as what its op is about; a refusal is told.
func obeyed[T any](b *board, id string, line []byte, start func(T) error) {
	var wanted T
	err := json.Unmarshal(line, &wanted)
	if err == nil {
		err = start(wanted)
	}
	if err != nil {
		b.refuse(id, err)
	}
}

func (b *board) refuse(id string, err error) {
	b.report(notice{Op: "error", ID: id, Error: err.Error()})
}

// startProbe replaces a running probe of the same id.
func (b *board) startProbe(probe probe) error {
	if err := probe.check(); err != nil {
		return err
	}
	b.stop(func(id string) bool { return id == probe.ID })
	if len(b.running) >= mostProbes {
		return fmt.Errorf("%d probes are running already", mostProbes)
	}
	ctx, cancel := context.WithCancel(b.ctx)
	b.running[probe.ID] = &task{id: probe.ID, cancel: cancel}
	go probe.repeat(ctx, func(result result) { b.report(result) })
	return nil
}

// startLoad refuses what would be too much for the sandbox, or for all.
func (b *board) startLoad(load load) error {
	if err := load.check(); err != nil {
		return err
	}
	if b.running[load.ID] != nil {
		return errors.New("it is running already")
	}
	sandbox, _, _ := strings.Cut(load.ID, "/")
	mine, all := 0, load.Rate
	for id, task := range b.running {
		if task.rate > 0 && strings.HasPrefix(id, sandbox+"/") {
			mine++
		}
		all += task.rate
	}
	if mine >= mostLoads {
		return fmt.Errorf("%d loads of this sandbox are running already", mostLoads)
	}
	if all > mostRateEver {
		return fmt.Errorf("%g requests a second would be sent in all, at most %g are", all, mostRateEver)
	}
	ctx, cancel := context.WithCancel(b.ctx)
	ending, end := context.WithCancel(ctx)
	task := &task{id: load.ID, cancel: cancel, end: end, rate: load.Rate}
	b.running[load.ID] = task
	go func() {
		load.run(ctx, ending.Done(), b.report)
		select {
		case b.over <- task:
		case <-b.ctx.Done():
		}
	}()
	return nil
}

// forget takes a load that ended off the board, never its successor, and says
// so: from then on it may begin again. One that was called off is told by nobody.
func (b *board) forget(task *task) {
	task.cancel()
	if b.running[task.id] == task {
		delete(b.running, task.id)
		b.report(notice{Op: "ended", ID: task.id})
	}
}

func (b *board) stop(wanted func(id string) bool) {
	for id, task := range b.running {
		if wanted(id) {
			task.cancel()
			delete(b.running, id)
		}
	}
}

// answered is the result of a question that was asked once.
type answered struct {
	Op string `json:"op"`
	result
}

func (b *board) ask(probe probe) error {
	probe.EveryMS = longestTimeout // asked once: `every` has no meaning
	if err := probe.check(); err != nil {
		return err
	}
	return b.aside(func() {
		result := result{ID: probe.ID, N: 1, Nonce: newNonce()}
		probe.ask(b.ctx, &result)
		b.report(answered{"answer", result})
	})
}

func (b *board) measure(memory memory) error {
	if err := memory.check(); err != nil {
		return err
	}
	return b.aside(func() { b.report(memory.ask(b.ctx)) })
}

// aside does something that is over soon beside everything else.
func (b *board) aside(work func()) error {
	select {
	case b.questions <- struct{}{}:
	default:
		return fmt.Errorf("%d questions are open already", mostQuestions)
	}
	go func() {
		defer func() { <-b.questions }()
		work()
	}()
	return nil
}
