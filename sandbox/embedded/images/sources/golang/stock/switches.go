package main

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	known    = "ready live slow error hang spin leak ignore-sigterm exit reset"
	tick     = 100 * time.Millisecond
	mostHeld = 1 << 30 // bytes; a container's limit is far below, a process without one is spared
)

// state is what is wrong with this app on purpose.
type state struct {
	ready, live, hang, spin, ignoreSigterm bool
	slow                                   time.Duration
	errorShare                             float64
	leak                                   float64 // bytes taken a second
	exit                                   int     // -1: stays
}

func well() state { return state{ready: true, live: true, exit: -1} }

type switches struct {
	lock     sync.Mutex
	state    state
	due      float64
	spinning bool
	leaking  bool
}

func newSwitches() *switches { return &switches{state: well()} }

func (s *switches) now() state {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.state
}

func (s *switches) isReady() bool         { return s.now().ready }
func (s *switches) isLive() bool          { return s.now().live }
func (s *switches) ignoresSigterm() bool  { return s.now().ignoreSigterm }
func (s *switches) wait()                 { time.Sleep(s.now().slow) }
func (s *switches) exitCode() (int, bool) { code := s.now().exit; return code, code >= 0 }

// turn obeys name=value words separated by commas, spaces or lines: all or nothing.
func (s *switches) turn(text string) error {
	words := strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(", &\t\r\n", c) })
	if len(words) == 0 {
		return fmt.Errorf("no switch given; known: %s", known)
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	next := s.state
	for _, word := range words {
		if err := next.read(word); err != nil {
			return err
		}
	}
	s.state = next
	return nil
}

func (s *state) read(word string) error {
	name, value, given := strings.Cut(word, "=")
	var err error
	switch name {
	case "reset":
		*s = well()
	case "ready":
		s.ready, err = onOff(value)
	case "live":
		s.live, err = onOff(value)
	case "spin":
		s.spin, err = onOff(value)
	case "ignore-sigterm":
		s.ignoreSigterm, err = onOff(value)
	case "hang":
		if !given || value == "stock" {
			s.hang = true
		} else {
			s.hang, err = onOff(value)
		}
	case "slow":
		s.slow, err = offOr(value, parseDuration)
	case "error":
		s.errorShare, err = offOr(value, parseShare)
	case "leak":
		s.leak, err = offOr(strings.TrimSuffix(value, "/s"), parseSize)
	case "exit":
		s.exit, err = strconv.Atoi(value)
		if err != nil || s.exit < 0 || s.exit > 255 {
			err = fmt.Errorf("an exit code is between 0 and 255")
		}
	default:
		return fmt.Errorf("unknown switch %q; known: %s", name, known)
	}
	if err != nil {
		return fmt.Errorf("%q: %w", word, err)
	}
	return nil
}

// nextFails is true for the wanted share of all calls, evenly spread: 0.33 fails every third.
func (s *switches) nextFails() bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.state.errorShare == 0 {
		s.due = 0
		return false
	}
	s.due += s.state.errorShare
	// 0.33 means "one in three", not "33 in 100": adding it three times does not reach 1.
	if s.due < 0.985 {
		return false
	}
	s.due = math.Max(0, s.due-1)
	return true
}

// outlastHang waits until the switch is off (true) or the client has left (false).
func (s *switches) outlastHang(client context.Context) bool {
	for s.now().hang {
		select {
		case <-client.Done():
			return false
		case <-time.After(tick):
		}
	}
	return true
}

// follow starts what the switches ask for beside answering requests.
func (s *switches) follow() {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.state.spin && !s.spinning {
		s.spinning = true
		go s.keepSpinning()
	}
	if s.state.leak > 0 && !s.leaking {
		s.leaking = true
		go s.keepLeaking()
	}
}

func (s *switches) keepSpinning() {
	for s.now().spin {
		for range 1_000_000 {
		}
	}
	s.end(&s.spinning)
}

func (s *switches) keepLeaking() {
	var held [][]byte
	taken := 0
	for rate := s.now().leak; rate > 0; rate = s.now().leak {
		mouthful := int(rate * tick.Seconds())
		if taken+mouthful <= mostHeld {
			held = append(held, written(mouthful))
			taken += mouthful
		}
		time.Sleep(tick)
	}
	held = nil
	s.end(&s.leaking)
}

// written is memory that counts as used: untouched memory does not.
func written(size int) []byte {
	memory := make([]byte, size)
	for i := range memory {
		memory[i] = 1
	}
	return memory
}

func (s *switches) end(running *bool) {
	s.lock.Lock()
	*running = false
	s.lock.Unlock()
	s.follow() // switched on again while this one was ending
}

func (s *switches) describe() map[string]any {
	now := s.now()
	var exit any
	if now.exit >= 0 {
		exit = now.exit
	}
	return map[string]any{
		"ready": word(now.ready), "live": word(now.live), "hang": word(now.hang), "spin": word(now.spin),
		"ignore-sigterm": word(now.ignoreSigterm), "slow": fmt.Sprintf("%dms", now.slow.Milliseconds()),
		"error": now.errorShare, "leak": fmt.Sprintf("%.0f/s", now.leak), "exit": exit,
	}
}

func word(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
