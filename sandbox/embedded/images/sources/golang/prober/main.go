// Command prober asks Services as a customer would.
//
// "prober wait" is the Pod's main process: it only waits for SIGTERM.
// "prober run" reads one JSON command a line on standard input and writes one
// JSON result a line on standard output, until standard input closes. It is
// started by the platform over one long-lived exec stream.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "wait" {
		awaitSignal()
		return
	}
	if len(os.Args) == 2 && os.Args[1] == "run" {
		if err := run(os.Stdin, os.Stdout, silenceLimit); err != nil {
			fmt.Fprintln(os.Stderr, "prober:", err)
			os.Exit(1)
		}
		return
	}
	fmt.Fprintln(os.Stderr, "usage: prober wait | prober run")
	os.Exit(2)
}

// awaitSignal also reaps what exec streams leave behind: it is process 1.
func awaitSignal() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGCHLD)
	for received := range signals {
		if received != syscall.SIGCHLD {
			return
		}
		for {
			pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
			if err != nil || pid <= 0 {
				break
			}
		}
	}
}
