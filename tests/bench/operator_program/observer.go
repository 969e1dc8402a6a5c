package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// observed is what the watches have shown of one job.
type observed struct {
	createdAt, podAt, changedAt time.Time // of the request that created it, its first pod, its newest operator's status
	status                      string
	writes                      int // of the operator
	pods                        int
	isStreaming                 bool // the operator's status says so
}

// observer watches all jobs and pods. It reports for each pod that runs if `stream` is set.
type observer struct {
	client.WithWatch
	stream  bool
	reports chan *corev1.Pod
	mutex   sync.Mutex
	jobs    map[types.NamespacedName]*observed
	deleted int // pods
	eventAt time.Time
}

func newObserver(ctx context.Context, config *rest.Config, stream bool) (*observer, error) {
	found, err := client.NewWithWatch(config, client.Options{Scheme: newScheme()})
	if err != nil {
		return nil, err
	}
	each := &observer{WithWatch: found, stream: stream, jobs: map[types.NamespacedName]*observed{}}
	each.reports = make(chan *corev1.Pod, 100_000)
	each.eventAt = time.Now()
	if err := each.start(ctx, &JobList{}, each.onJob); err != nil {
		return nil, err
	}
	ours := client.MatchingLabelsSelector{Selector: labels.SelectorFromSet(labels.Set{"app.kubernetes.io/name": "sluice-ingest"})}
	if err := each.start(ctx, &corev1.PodList{}, each.onPod, ours); err != nil {
		return nil, err
	}
	for range 8 {
		go each.report(ctx)
	}
	return each, nil
}

// start lists the objects and follows their watch.
func (each *observer) start(
	ctx context.Context, list client.ObjectList, on func(string, client.Object), options ...client.ListOption,
) error {
	if err := each.List(ctx, list, options...); err != nil {
		return err
	}
	switch listed := list.(type) {
	case *JobList:
		for at := range listed.Items {
			on("LISTED", &listed.Items[at])
		}
	case *corev1.PodList:
		for at := range listed.Items {
			on("LISTED", &listed.Items[at])
		}
	}
	version := list.GetResourceVersion()
	go func() {
		// The API server ends the watch of a client that it finds slow. Nothing is missed: the next one continues.
		for ctx.Err() == nil {
			raw := &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: version}}
			watch, err := each.Watch(ctx, list, append(slices.Clone(options), raw)...)
			if err != nil {
				time.Sleep(200 * time.Millisecond)
				continue
			}
			for event := range watch.ResultChan() {
				object, is := event.Object.(client.Object)
				if !is && ctx.Err() != nil {
					return
				}
				if !is {
					fmt.Fprintln(os.Stderr, "the observer's watch has failed:", event.Object)
					os.Exit(1)
				}
				version = object.GetResourceVersion()
				on(string(event.Type), object)
			}
		}
	}()
	return nil
}

func (each *observer) onJob(change string, object client.Object) {
	job := object.(*Job)
	each.mutex.Lock()
	defer each.mutex.Unlock()
	seen := each.jobOf(client.ObjectKeyFromObject(job))
	each.eventAt = time.Now()
	if status := job.Status.operatorsPart(); status != seen.status {
		if seen.status = status; change == "MODIFIED" {
			seen.writes++
			seen.changedAt = each.eventAt
		}
	}
	for _, condition := range job.Status.Conditions {
		if condition.Type == "Streaming" {
			seen.isStreaming = condition.Status == metav1.ConditionTrue
		}
	}
}

func (each *observer) onPod(change string, object client.Object) {
	pod := object.(*corev1.Pod)
	key := types.NamespacedName{Namespace: pod.Namespace, Name: pod.Labels["sluice.dev/job"]}
	each.mutex.Lock()
	defer each.mutex.Unlock()
	seen := each.jobOf(key)
	each.eventAt = time.Now()
	switch change {
	case "ADDED", "LISTED":
		seen.pods++
		if seen.podAt.IsZero() {
			seen.podAt = each.eventAt
		}
	case "DELETED":
		each.deleted++
	}
	if each.stream && change != "DELETED" && pod.Status.Phase == corev1.PodRunning {
		each.reports <- pod
	}
}

func (each *observer) jobOf(key types.NamespacedName) *observed {
	if each.jobs[key] == nil {
		each.jobs[key] = &observed{}
	}
	return each.jobs[key]
}

// report writes what a pod that streams reports, once for each pod.
func (each *observer) report(ctx context.Context) {
	done := map[types.UID]bool{}
	for pod := range each.reports {
		if done[pod.UID] {
			continue
		}
		done[pod.UID] = true
		if err := each.applyReport(ctx, pod, time.Now()); err != nil && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}

// applyReport writes status.stream with the request of the ingest pod.
func (each *observer) applyReport(ctx context.Context, pod *corev1.Pod, at time.Time) error {
	now := at.UTC().Format(time.RFC3339)
	stream := map[string]any{
		"observedGeneration": 1, "podUID": pod.UID, "state": "Live", "ingestEnabled": true,
		"heartbeat": map[string]any{
			"at": now, "status": "running", "dryRun": false, "epoch": epochOf(pod), "sessionID": pod.UID,
			"lastSymbol": "AAPL", "lastQuoteAt": now, "lastQuoteReceivedAt": now,
		},
		"symbols": map[string]any{
			"live": "2/2", "desired": 2, "confirmed": 2, "pending": 0, "paused": 0, "rejected": 0,
		},
		"sink":                          map[string]any{"healthy": true, "lastWriteAt": now},
		"effectiveIntervalMilliseconds": 1000,
	}
	name := pod.Labels["sluice.dev/job"]
	body, err := json.Marshal(map[string]any{
		"apiVersion": jobVersion.String(), "kind": "IngestJob",
		"metadata": map[string]any{"name": name, "namespace": pod.Namespace},
		"status":   map[string]any{"stream": stream},
	})
	if err != nil {
		return err
	}
	job := &Job{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: pod.Namespace}}
	options := &client.SubResourcePatchOptions{}
	options.ApplyOptions([]client.SubResourcePatchOption{client.FieldOwner("sluice-runtime"), client.ForceOwnership})
	return each.Status().Patch(ctx, job, client.RawPatch(types.ApplyPatchType, body), options)
}

// settled returns an error until `jobs` jobs have a pod and a status, all of which have not changed for `quiet`.
func (each *observer) settled(jobs int, quiet time.Duration) error {
	each.mutex.Lock()
	defer each.mutex.Unlock()
	pods, statuses := 0, 0
	for _, seen := range each.jobs {
		if seen.pods > 0 {
			pods++
		}
		if seen.writes > 0 && (!each.stream || seen.isStreaming) {
			statuses++
		}
	}
	if pods < jobs || statuses < jobs {
		return fmt.Errorf("%d of %d jobs have a pod, and %d a status", pods, jobs, statuses)
	}
	if time.Since(each.eventAt) < quiet {
		return errors.New("objects still change")
	}
	return nil
}

// summary is printed as one line of JSON. Times are in seconds.
type summary struct {
	PodsSeconds    float64   `json:"podsSeconds"`    // until the last job had a pod
	SettledSeconds float64   `json:"settledSeconds"` // until the last write of a status by the operator
	Writes         int       `json:"writes"`         // of statuses, by the operator
	Pods           int       `json:"pods"`           // that were created
	Deleted        int       `json:"deleted"`        // pods
	Latencies      []float64 `json:"latencies"`      // of each job, from before its creation until its pod was seen
}

func (each *observer) summary(start time.Time) summary {
	each.mutex.Lock()
	defer each.mutex.Unlock()
	found := summary{Deleted: each.deleted, Latencies: []float64{}}
	for _, seen := range each.jobs {
		found.Writes += seen.writes
		found.Pods += seen.pods
		if !seen.createdAt.IsZero() && !seen.podAt.IsZero() {
			found.Latencies = append(found.Latencies, seen.podAt.Sub(seen.createdAt).Seconds())
		}
		found.PodsSeconds = max(found.PodsSeconds, seen.podAt.Sub(start).Seconds())
		found.SettledSeconds = max(found.SettledSeconds, seen.changedAt.Sub(start).Seconds())
	}
	return found
}

// runObserver prints what has changed since its start when it is told to end.
func runObserver(ctx context.Context, config *rest.Config, arguments []string) error {
	flags := flag.NewFlagSet("observe", flag.ContinueOnError)
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	start := time.Now()
	found, err := newObserver(ctx, config, false)
	if err != nil {
		return err
	}
	fmt.Println("{}")
	<-ctx.Done()
	return json.NewEncoder(os.Stdout).Encode(found.summary(start))
}
