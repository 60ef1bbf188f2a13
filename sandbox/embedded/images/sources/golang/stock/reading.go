package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

func onOff(text string) (bool, error) {
	switch text {
	case "on", "1", "true":
		return true, nil
	case "off", "0", "false":
		return false, nil
	}
	return false, errors.New("say on or off")
}

// offOr reads a value, or its zero from the word "off".
func offOr[V any](text string, read func(string) (V, error)) (V, error) {
	if text == "off" {
		var none V
		return none, nil
	}
	return read(text)
}

// parseDuration reads 8s, 300ms, 2m or a bare number of seconds.
func parseDuration(text string) (time.Duration, error) {
	seconds, err := withUnit(text, "ms", 0.001, "s", 1, "m", 60)
	if err != nil {
		return 0, err
	}
	if !(seconds >= 0 && seconds <= 3600) {
		return 0, fmt.Errorf("%q is not between 0 and 1 hour", text)
	}
	return time.Duration(seconds * float64(time.Second)), nil
}

// parseSize reads 2Mi, 512Ki or a bare number of bytes.
func parseSize(text string) (float64, error) {
	size, err := withUnit(text, "Ki", 1<<10, "Mi", 1<<20)
	if err != nil {
		return 0, err
	}
	if !(size >= 0 && size <= 1<<30) {
		return 0, fmt.Errorf("%q is not between 0 and 1024Mi", text)
	}
	return size, nil
}

func parseShare(text string) (float64, error) {
	share, err := number(text)
	if err == nil && !(share >= 0 && share <= 1) {
		err = errors.New("the share must be between 0 and 1")
	}
	return share, err
}

// withUnit takes pairs of unit and factor; the first unit that fits counts.
func withUnit(text string, units ...any) (float64, error) {
	factor := 1.0
	for i := 0; i < len(units); i += 2 {
		if rest, found := strings.CutSuffix(text, units[i].(string)); found {
			text = rest
			switch value := units[i+1].(type) {
			case int:
				factor = float64(value)
			case float64:
				factor = value
			}
			break
		}
	}
	value, err := number(text)
	return value * factor, err
}

func number(text string) (float64, error) {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(value, 0) {
		return 0, fmt.Errorf("%q is no number", text)
	}
	return value, nil
}

// safeToken gives back what can be echoed in a header, else nothing.
func safeToken(text string) string {
	if len(text) > 64 {
		return ""
	}
	for _, c := range text {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("._-", c)) {
			return ""
		}
	}
	return text
}

// printable is a path as one short word.
func printable(path string) string {
	short := []rune(path)
	if len(short) > 80 {
		short = short[:80]
	}
	for i, c := range short {
		if !strconv.IsPrint(c) {
			short[i] = '?'
		}
	}
	return string(short)
}
