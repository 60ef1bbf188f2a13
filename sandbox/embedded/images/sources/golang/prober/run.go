package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"
)

const (
	// silenceLimit ends a prober whose platform went away without closing the
	// stream (it pings every 10 s), so that no traffic outlives its purpose.
	silenceLimit = 45 * time.Second
	longestLine  = 64 << 10
	mostProbes   = 512
	// waitingResults bounds the memory used when the reader is slow.
	waitingResults = 4096
)

var errSilence = errors.New("no command and no ping for 45 s")

// command is what every line has; the rest depends on the op.
type command struct {
	Op     string `json:"op"`
	ID     string `json:"id"`
	Prefix string `json:"prefix"`
}

type notice struct {
	Op    string `json:"op"`
	ID    string `json:"id,omitempty"`
	Error string `json:"error,omitempty"`
	Lost  int    `json:"lost,omitempty"`
}

// run obeys commands until the input ends or stays silent for too long.
func run(input io.Reader, output io.Writer, silence time.Duration) error {
	ctx, stopAll := context.WithCancel(context.Background())
	defer stopAll()
	lines, failed := readLines(input)
	results := newReporter(output)
	board := newBoard(ctx, results.send)
	watchdog := time.NewTimer(silence)
	defer watchdog.Stop()
	for {
		select {
		case line, open := <-lines:
			if !open {
				return <-failed
			}
			watchdog.Reset(silence)
			board.obey(line)
		case task := <-board.over:
			board.forget(task)
		case err := <-results.broken:
			return err
		case <-watchdog.C:
			return errSilence
		}
	}
}

func readLines(input io.Reader) (<-chan []byte, <-chan error) {
	lines, failed := make(chan []byte), make(chan error, 1)
	go func() {
		defer close(lines)
		scanner := bufio.NewScanner(input)
		scanner.Buffer(make([]byte, 0, 4096), longestLine)
		for scanner.Scan() {
			lines <- append([]byte(nil), scanner.Bytes()...)
		}
		failed <- scanner.Err()
	}()
	return lines, failed
}

// reporter writes lines one after another. What does not fit because the
// reader is slow is counted and told, never kept.
type reporter struct {
	queue  chan any
	broken chan error
	lost   chan int
}

func newReporter(output io.Writer) *reporter {
	reporter := &reporter{queue: make(chan any, waitingResults), broken: make(chan error, 1), lost: make(chan int, 1)}
	reporter.lost <- 0
	go reporter.write(output)
	return reporter
}

func (r *reporter) send(line any) {
	select {
	case r.queue <- line:
	default:
		r.lost <- <-r.lost + 1
	}
}

func (r *reporter) write(output io.Writer) {
	encoder := json.NewEncoder(output)
	encoder.SetEscapeHTML(false)
	for line := range r.queue {
		err := encoder.Encode(line)
		if lost := <-r.lost; lost > 0 && err == nil {
			err = encoder.Encode(notice{Op: "lost", Lost: lost})
		}
		r.lost <- 0
		if err != nil {
			r.broken <- err
			return
		}
	}
}
