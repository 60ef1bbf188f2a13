package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"sort"
	"strings"
)

// lookups are the questions of the name service a lesson may ask, by type.
var lookups = map[string]func(ctx context.Context, name string) ([]string, error){
	"A":    addresses("ip4"),
	"AAAA": addresses("ip6"),
	"SRV": func(ctx context.Context, name string) ([]string, error) {
		_, found, err := net.DefaultResolver.LookupSRV(ctx, "", "", name)
		var said []string
		for _, each := range found {
			said = append(said, fmt.Sprintf("%s:%d", strings.TrimSuffix(each.Target, "."), each.Port))
		}
		return said, err
	},
	"TXT": func(ctx context.Context, name string) ([]string, error) {
		return net.DefaultResolver.LookupTXT(ctx, name)
	},
}

func addresses(network string) func(ctx context.Context, name string) ([]string, error) {
	return func(ctx context.Context, name string) ([]string, error) {
		found, err := net.DefaultResolver.LookupIP(ctx, network, name)
		var said []string
		for _, each := range found {
			said = append(said, each.String())
		}
		return said, err
	}
}

func knownType(kind string) bool {
	return kind == "" || lookups[kind] != nil
}

// askDNS gives {"answers": [...]}, sorted, so that a lesson can count and compare them.
func askDNS(ctx context.Context, name, kind string) (string, error) {
	if kind == "" {
		kind = "A"
	}
	found, err := lookups[kind](ctx, name)
	if err != nil {
		return "", err
	}
	sort.Strings(found)
	body, err := json.Marshal(map[string][]string{"answers": found})
	return string(body), err
}
