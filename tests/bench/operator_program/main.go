// The Go programs of the benchmark of the operator: a controller-runtime operator to compare with, a scheduler for
// simulated nodes, and the client that creates jobs, reports for their pods and measures.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

var commands = map[string]func(context.Context, *rest.Config, []string) error{
	"operator":  runOperator,
	"scheduler": runScheduler,
	"burst":     runBurst,
	"heartbeat": runHeartbeats,
	"observe":   runObserver,
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: operator_program operator|scheduler|burst|heartbeat|observe [FLAG...], KUBECONFIG set")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err == nil {
		// No client-side rate limit: the API server's own flow control is the only one.
		config.QPS = -1
		err = commands[os.Args[1]](ctx, config, os.Args[2:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
