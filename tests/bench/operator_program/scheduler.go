package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// runScheduler binds each new pod to the node that kwok simulates. kwok itself needs a scheduler beside it.
func runScheduler(ctx context.Context, config *rest.Config, arguments []string) error {
	flags := flag.NewFlagSet("scheduler", flag.ContinueOnError)
	node := flags.String("node", "kwok-0", "name of the node")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	config = rest.CopyConfig(config)
	config.ContentType = "application/vnd.kubernetes.protobuf"
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	unbound := fields.OneTermEqualSelector("spec.nodeName", "")
	source := cache.NewListWatchFromClient(clients.CoreV1().RESTClient(), "pods", metav1.NamespaceAll, unbound)
	pods := make(chan *corev1.Pod, 100_000)
	_, informer := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: source,
		ObjectType:    &corev1.Pod{},
		Handler:       cache.ResourceEventHandlerFuncs{AddFunc: func(added any) { pods <- added.(*corev1.Pod) }},
	})
	for range 16 {
		go func() {
			for pod := range pods {
				binding := &corev1.Binding{
					ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace, UID: pod.UID},
					Target:     corev1.ObjectReference{Kind: "Node", Name: *node},
				}
				err := clients.CoreV1().Pods(pod.Namespace).Bind(ctx, binding, metav1.CreateOptions{})
				if err != nil && ctx.Err() == nil {
					fmt.Fprintln(os.Stderr, err)
				}
			}
		}()
	}
	informer.RunWithContext(ctx)
	return nil
}
