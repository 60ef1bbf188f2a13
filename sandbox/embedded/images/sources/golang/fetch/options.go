package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// wish is what one call asks for, whichever program's words it was said in.
type wish struct {
	url      string
	method   string
	headers  http.Header
	data     string
	output   string // "" and "-" are standard output
	write    string // curl's -w
	limit    time.Duration
	include  bool
	head     bool
	silent   bool
	showErrs bool
	fail     bool
	follow   bool
	verbose  bool
	help     bool
	insecure bool
}

const noValue, withValue = false, true

// letters tells which single-letter options take a value.
var letters = map[string]map[byte]bool{
	"curl": {'i': noValue, 'I': noValue, 's': noValue, 'S': noValue, 'f': noValue, 'L': noValue, 'v': noValue,
		'k': noValue, 'g': noValue, 'h': noValue, 'X': withValue, 'H': withValue, 'd': withValue, 'o': withValue,
		'm': withValue, 'w': withValue, 'A': withValue},
	"wget": {'q': noValue, 'S': noValue, 'h': noValue, 'O': withValue, 'T': withValue, 't': withValue, 'U': withValue},
}

var longNames = map[string]string{
	"include": "i", "head": "I", "silent": "s", "show-error": "S", "fail": "f", "location": "L", "verbose": "v",
	"insecure": "k", "help": "h", "request": "X", "header": "H", "data": "d", "output": "o", "max-time": "m",
	"connect-timeout": "m", "write-out": "w", "user-agent": "A",
	"quiet": "q", "server-response": "S", "output-document": "O", "timeout": "T", "tries": "t", "spider": "spider",
}

func parse(name string, arguments []string) (*wish, error) {
	dialect := "curl"
	if name == "wget" {
		dialect = "wget"
	}
	wish := &wish{headers: http.Header{}, follow: dialect == "wget", fail: dialect == "wget", showErrs: true}
	if dialect == "wget" {
		wish.output = "by name"
	}
	for len(arguments) > 0 {
		argument := arguments[0]
		arguments = arguments[1:]
		var err error
		switch {
		case strings.HasPrefix(argument, "--") && len(argument) > 2:
			arguments, err = wish.long(dialect, argument[2:], arguments)
		case strings.HasPrefix(argument, "-") && len(argument) > 1:
			arguments, err = wish.short(dialect, argument[1:], arguments)
		case wish.url != "":
			err = errors.New("one URL at a time")
		default:
			wish.url = argument
		}
		if err != nil {
			return nil, err
		}
	}
	return wish, wish.complete()
}

func (w *wish) long(dialect, argument string, rest []string) ([]string, error) {
	name, value, hasValue := strings.Cut(argument, "=")
	letter, known := longNames[name]
	if letter == "spider" {
		w.head = true
		return rest, nil
	}
	takes, ours := false, false
	if known {
		takes, ours = letters[dialect][letter[0]]
	}
	switch {
	case !ours:
		return nil, fmt.Errorf("option --%s is not known here; see --help", name)
	case !takes:
		return rest, w.set(dialect, letter[0], "")
	case hasValue:
		return rest, w.set(dialect, letter[0], value)
	case len(rest) == 0:
		return nil, fmt.Errorf("option --%s needs a value", name)
	}
	return rest[1:], w.set(dialect, letter[0], rest[0])
}

func (w *wish) short(dialect, cluster string, rest []string) ([]string, error) {
	for i := 0; i < len(cluster); i++ {
		takes, known := letters[dialect][cluster[i]]
		if !known {
			return nil, fmt.Errorf("option -%c is not known here; see --help", cluster[i])
		}
		if !takes {
			if err := w.set(dialect, cluster[i], ""); err != nil {
				return nil, err
			}
			continue
		}
		value := cluster[i+1:]
		if value == "" {
			if len(rest) == 0 {
				return nil, fmt.Errorf("option -%c needs a value", cluster[i])
			}
			value, rest = rest[0], rest[1:]
		}
		return rest, w.set(dialect, cluster[i], value)
	}
	return rest, nil
}

func (w *wish) set(dialect string, letter byte, value string) error {
	if letter == 'h' {
		w.help = true
		return nil
	}
	if dialect == "wget" {
		return w.setWget(letter, value)
	}
	return w.setCurl(letter, value)
}

func (w *wish) setWget(letter byte, value string) (err error) {
	switch letter {
	case 'q':
		w.silent, w.showErrs = true, false
	case 'S':
		w.include = true
	case 'O':
		w.output = value
	case 'T':
		w.limit, err = seconds(value)
	case 'U':
		w.headers.Set("User-Agent", value)
	}
	return err
}

func (w *wish) setCurl(letter byte, value string) (err error) {
	switch letter {
	case 'i':
		w.include = true
	case 'I':
		w.head = true
	case 's':
		w.silent, w.showErrs = true, false
	case 'S':
		w.showErrs = true
	case 'f':
		w.fail = true
	case 'k':
		w.insecure = true
	case 'L':
		w.follow = true
	case 'v':
		w.verbose = true
	case 'X':
		w.method = value
	case 'H':
		name, text, colon := strings.Cut(value, ":")
		if !colon {
			return fmt.Errorf("header %q has no colon", value)
		}
		w.headers.Add(name, strings.TrimSpace(text))
	case 'd':
		err = w.addData(value)
	case 'o':
		w.output = value
	case 'm':
		w.limit, err = seconds(value)
	case 'w':
		w.write = value
	case 'A':
		w.headers.Set("User-Agent", value)
	}
	return err
}

func (w *wish) addData(value string) error {
	if file, isFile := strings.CutPrefix(value, "@"); isFile {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		value = string(content)
	}
	if w.data != "" {
		w.data += "&"
	}
	w.data += value
	return nil
}

// complete fills in what follows from the rest.
func (w *wish) complete() error {
	if w.help {
		return nil
	}
	if w.url == "" {
		return errors.New("no URL given; see --help")
	}
	if !strings.Contains(w.url, "://") {
		w.url = "http://" + w.url
	}
	switch {
	case w.method != "":
	case w.head:
		w.method = http.MethodHead
	case w.data != "":
		w.method = http.MethodPost
	default:
		w.method = http.MethodGet
	}
	if w.data != "" && w.headers.Get("Content-Type") == "" {
		w.headers.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return nil
}

func seconds(text string) (time.Duration, error) {
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || number <= 0 {
		return 0, fmt.Errorf("%q is no number of seconds", text)
	}
	return time.Duration(number * float64(time.Second)), nil
}
