// Command glasshull-kube is the embedded cluster in one file: the name it is called by
// (a symbolic link) chooses the component, so that eight programs share one set of libraries
// on disk and in the page cache. Each component still runs as a process of its own.
package main

import (
	"flag"
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
		if name != "coredns" {
			forgetFlag("version")
		}
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

// forgetFlag removes a flag that a component registered for all of the process while it was only
// linked in: CoreDNS' own -version hides the --version of kube-proxy.
func forgetFlag(name string) {
	kept := flag.NewFlagSet(os.Args[0], flag.ExitOnError)
	flag.CommandLine.VisitAll(func(f *flag.Flag) {
		if f.Name != name {
			kept.Var(f.Value, f.Name, f.Usage)
		}
	})
	flag.CommandLine = kept
}
