package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

// lookUp asks as the machine's resolver would, search path included.
func lookUp(arguments []string, out, messages io.Writer) int {
	if len(arguments) != 1 || strings.HasPrefix(arguments[0], "-") {
		fmt.Fprintln(messages, "usage: nslookup NAME")
		return 2
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	fmt.Fprintf(out, "Server:    %s\n\n", strings.Join(nameServers("/etc/resolv.conf"), " "))
	addresses, err := net.DefaultResolver.LookupHost(ctx, arguments[0])
	if err != nil {
		if dns, ok := err.(*net.DNSError); ok && dns.IsNotFound {
			fmt.Fprintf(out, "** server can't find %s: NXDOMAIN\n", arguments[0])
		} else {
			fmt.Fprintf(messages, "nslookup: %v\n", err)
		}
		return 1
	}
	fmt.Fprintf(out, "Name:      %s\n", arguments[0])
	for _, address := range addresses {
		fmt.Fprintf(out, "Address:   %s\n", address)
	}
	return 0
}

func nameServers(file string) []string {
	content, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer content.Close()
	var servers []string
	for scanner := bufio.NewScanner(content); scanner.Scan(); {
		if words := strings.Fields(scanner.Text()); len(words) == 2 && words[0] == "nameserver" {
			servers = append(servers, words[1])
		}
	}
	return servers
}
