// Command glasshull-kube is the embedded cluster in one file: the name it is called by
// (a symbolic link) chooses the component, so that eight programs share one set of libraries
// on disk and in the page cache. Each component still runs as a process of its own.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// components maps the name of each link to the component's own main function.
var components = map[string]func(){
	"coredns":                 runCoreDNS,
	"etcd":                    runEtcd,
	"kube-apiserver":          runAPIServer,
	"kube-controller-manager": runControllerManager,
	"kube-proxy":              runProxy,
	"kube-scheduler":          runScheduler,
	"kubectl":                 runKubectl,
	"kubelet":                 runKubelet,
}

func main() {
	name := filepath.Base(os.Args[0])
	if run, known := components[name]; known {
		run()
		return
	}
	names := make([]string, 0, len(components))
	for component := range components {
		names = append(names, component)
	}
	sort.Strings(names)
	fmt.Fprintf(os.Stderr, "%s is no component; call this file through a link named one of: %s\n",
		name, strings.Join(names, ", "))
	os.Exit(64)
}
