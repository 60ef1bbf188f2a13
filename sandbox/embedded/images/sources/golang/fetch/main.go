// Command fetch is the toolbox's HTTP and DNS client, under the names people type: curl, wget, nslookup.
// (Debian's static busybox crashes when its own wget or nslookup resolves a name.)
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	name, arguments := filepath.Base(os.Args[0]), os.Args[1:]
	if name == "fetch" && len(arguments) > 0 && arguments[0] == "dns" {
		name, arguments = "nslookup", arguments[1:]
	}
	os.Exit(act(name, arguments))
}

func act(name string, arguments []string) int {
	if name == "nslookup" {
		return lookUp(arguments, os.Stdout, os.Stderr)
	}
	wish, err := parse(name, arguments)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		return 2
	}
	if wish.help {
		fmt.Println(usage)
		return 0
	}
	return fetch(name, wish, os.Stdout, os.Stderr)
}

const usage = `curl [options] URL        ask an HTTP server
  -i  show the answer's header too     -I  ask for the header only
  -s  no messages                      -f  fail (code 22) on status 400 and over
  -L  follow redirects                 -v  show what is sent
  -X METHOD   -H 'Name: value'   -d DATA   -o FILE   -m SECONDS
wget -qO- URL             the same, in wget's words
nslookup NAME             ask the cluster's DNS`
