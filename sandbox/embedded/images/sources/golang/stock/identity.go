package main

import (
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// The kubelet writes a Pod's uid into the container's cgroup path and into the
// source of the mount at /etc/hosts; see chandlery/identity.py.
var uidInPath = regexp.MustCompile(
	`(?:/pods/|/pod|-pod)([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12})`)

// podUID is empty outside a cluster.
func podUID() string {
	if declared := variable("POD_UID", ""); declared != "" {
		return declared
	}
	for _, file := range []string{"/proc/self/cgroup", "/proc/self/mountinfo"} {
		text, _ := os.ReadFile(file)
		if found := uidInPath.FindSubmatch(text); found != nil {
			return strings.ReplaceAll(string(found[1]), "_", "-")
		}
	}
	return ""
}

// residentBytes is 0 where there is no /proc.
func residentBytes() int {
	text, _ := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(fields[1])
	return pages * os.Getpagesize()
}

func localAddress(r *http.Request) string {
	if address, found := r.Context().Value(http.LocalAddrContextKey).(net.Addr); found {
		return address.String()
	}
	return ""
}

func nonceOf(r *http.Request) string {
	if nonce := r.Header.Get("X-Glasshull-Nonce"); nonce != "" {
		return safeToken(nonce)
	}
	return safeToken(r.URL.Query().Get("nonce"))
}
