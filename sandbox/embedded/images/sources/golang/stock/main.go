// Command stock counts what the shop Chandlery has left, and keeps baskets:
// the shop's "database", with one writer. Its pages are those of the module
// warehouse.py in the monolith; its manners (health, switches, leaving) are
// those of the Python package chandlery.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
)

// After SIGTERM: Service rules need about a second to forget this Pod, so it
// goes on answering for one; then open requests may finish. In sum just below
// 3 s, the shortest grace period a lesson gives.
const (
	goingOn   = time.Second
	finishing = 1800 * time.Millisecond
)

// Memory the garbage collector tries to stay below; a copy may use 12 MiB.
const memoryGoal = 6 << 20

func main() {
	runtime.GOMAXPROCS(1)
	debug.SetMemoryLimit(memoryGoal)
	os.Exit(run())
}

func run() int {
	leave := make(chan os.Signal, 1)
	signal.Notify(leave, syscall.SIGTERM, syscall.SIGINT)
	delay, err := parseDuration(variable("START_DELAY", "0.3s"))
	if err != nil {
		return refuse(err)
	}
	app, err := newApp()
	if err != nil {
		return refuse(err)
	}
	if code, ending := app.switches.exitCode(); ending {
		say("exit %d: switched so", code)
		return code
	}
	say("stock %s is starting, ready in %g s", app.version, delay.Seconds())
	select {
	case <-leave:
		say("asked to leave before it began")
		return 0
	case <-time.After(delay):
	}
	return serve(app, leave)
}

func serve(app *app, leave <-chan os.Signal) int {
	service, err := net.Listen("tcp4", ":"+variable("PORT", "8080"))
	if err != nil {
		return refuse(err)
	}
	admin, err := net.Listen("tcp4", ":"+variable("ADMIN_PORT", "9090"))
	if err != nil {
		return refuse(err)
	}
	app.started = time.Now().UTC().Format("2006-01-02T15:04:05Z")
	server := &http.Server{
		Handler: app, ReadTimeout: 5 * time.Second, IdleTimeout: 5 * time.Second, MaxHeaderBytes: 8 << 10,
	}
	go server.Serve(service)
	go http.Serve(admin, http.HandlerFunc(app.administer))
	app.switches.follow()
	app.tracing.start()
	say("listening on %d, admin on %d", service.Addr().(*net.TCPAddr).Port, admin.Addr().(*net.TCPAddr).Port)
	for range leave {
		if !app.switches.ignoresSigterm() {
			break
		}
		say("asked to leave: not listening to that")
	}
	return part(app, server)
}

// part leaves politely: not ready at once, silent after a second.
func part(app *app, server *http.Server) int {
	app.leaving.Store(true)
	server.SetKeepAlivesEnabled(false)
	say("asked to leave: not ready any more, still answering")
	time.Sleep(goingOn)
	soon, cancel := context.WithTimeout(context.Background(), finishing)
	defer cancel()
	server.Shutdown(soon)
	say("left with %d requests unanswered", app.metrics.inflight())
	return 0
}

func refuse(err error) int {
	say("cannot start: %v", err)
	return 2
}

// say writes one line to the log, with its time (UTC).
func say(format string, values ...any) {
	fmt.Fprintf(os.Stdout, time.Now().UTC().Format("15:04:05.000 ")+format+"\n", values...)
}

func variable(name, otherwise string) string {
	if value, found := os.LookupEnv(name); found {
		return value
	}
	return otherwise
}
