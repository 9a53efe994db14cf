// Command node is every program of a small Kubernetes cluster in one file.
//
// Its first argument says which one; the rest is that program's own command
// line. The programs share most of their libraries, so one file is a quarter as
// large as seven, and is linked once.
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	_ "time/tzdata" // time zones of CronJobs, also where the system has none

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// Only the command that is asked for is made: several would register their
// feature gates in the one registry of the process.
var commands = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllers.NewControllerManagerCommand,
	"kube-proxy":              proxy.NewProxyCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kubectl":                 kubectl.NewDefaultKubectlCommand,
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
}

func main() {
	if len(os.Args) < 2 {
		refuse("say which program to be")
	}
	role := os.Args[1]
	os.Args = slices.Delete(os.Args, 1, 2)
	os.Args[0] = role // what the programs call themselves in their help and logs
	if role == "etcd" {
		etcdmain.Main(os.Args)
		return
	}
	command, known := commands[role]
	if !known {
		refuse("there is no program " + role)
	}
	os.Exit(cli.Run(command()))
}

// refuse ends with exit code 2 and the names that are known.
func refuse(why string) {
	names := append(slices.Sorted(maps.Keys(commands)), "etcd")
	fmt.Fprintf(os.Stderr, "node: %s: %s\n", why, strings.Join(names, ", "))
	os.Exit(2)
}
