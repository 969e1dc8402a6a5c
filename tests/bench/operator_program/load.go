package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// newJob returns a job whose documents no other job writes, in one of `namespaces` namespaces.
func newJob(number, namespaces, symbols int) *Job {
	name, namespace := fmt.Sprintf("job-%d", number), namespaceOf(number, namespaces)
	list := make([]string, symbols)
	for at := range list {
		list[at] = fmt.Sprintf("S%d", at)
	}
	spec, _ := json.Marshal(map[string]any{
		"tenant": namespace, "provider": "synthetic", "symbols": list,
		"heartbeat": map[string]any{"document": name},
		"firestore": map[string]any{"liveQuotesCollection": strings.ReplaceAll(name, "-", "_")},
	})
	job := &Job{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}, Spec: spec}
	job.SetGroupVersionKind(jobVersion.WithKind("IngestJob"))
	return job
}

func namespaceOf(number, namespaces int) string { return fmt.Sprintf("tenant-%d", number%namespaces) }

// runBurst creates jobs, all at once or at a rate, and waits until every job has a pod and a status that has settled.
func runBurst(ctx context.Context, config *rest.Config, arguments []string) error {
	flags := flag.NewFlagSet("burst", flag.ContinueOnError)
	jobs := flags.Int("jobs", 600, "jobs to create")
	namespaces := flags.Int("namespaces", 10, "namespaces to create them in")
	symbols := flags.Int("symbols", 2, "symbols of each job")
	rate := flags.Float64("rate", 0, "jobs to create each second; 0: as fast as 16 connections can")
	stream := flags.Bool("stream", false, "report for each pod that runs, and wait until each job streams")
	quiet := flags.Duration("quiet", 5*time.Second, "time without a change after which the statuses count as settled")
	limit := flags.Duration("limit", 5*time.Minute, "longest time of the burst")
	wait := flags.Bool("wait", true, "wait for pods and statuses")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	found, err := newObserver(ctx, config, *stream)
	if err != nil {
		return err
	}
	for number := range min(*namespaces, *jobs) {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespaceOf(number, *namespaces)}}
		if err := client.IgnoreAlreadyExists(found.Create(ctx, namespace)); err != nil {
			return err
		}
	}
	start := time.Now()
	if err := found.createJobs(ctx, *rate, *jobs, func(number int) *Job { return newJob(number, *namespaces, *symbols) }); err != nil {
		return err
	}
	for *wait && found.settled(*jobs, *quiet) != nil {
		select {
		case <-ctx.Done():
			return fmt.Errorf("after %v: %w", *limit, found.settled(*jobs, *quiet))
		case <-time.After(100 * time.Millisecond):
		}
	}
	return json.NewEncoder(os.Stdout).Encode(found.summary(start))
}

func (each *observer) createJobs(ctx context.Context, rate float64, jobs int, job func(int) *Job) error {
	numbers, failures := make(chan int), make(chan error, jobs)
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			for number := range numbers {
				created := job(number)
				each.mutex.Lock()
				each.jobOf(client.ObjectKeyFromObject(created)).createdAt = time.Now()
				each.mutex.Unlock()
				if err := each.Create(ctx, created); err != nil {
					failures <- err
				}
			}
		})
	}
	start := time.Now()
	for number := range jobs {
		if rate > 0 {
			time.Sleep(time.Until(start.Add(time.Duration(float64(number) / rate * float64(time.Second)))))
		}
		numbers <- number
	}
	close(numbers)
	group.Wait()
	close(failures)
	return <-failures
}

// runHeartbeats writes reports for pods that run, as the ingest pods do every 30 s, at an even rate.
func runHeartbeats(ctx context.Context, config *rest.Config, arguments []string) error {
	flags := flag.NewFlagSet("heartbeat", flag.ContinueOnError)
	count := flags.Int("count", 500, "heartbeats to write")
	rate := flags.Float64("rate", 50, "heartbeats a second")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	found, err := client.NewWithWatch(config, client.Options{Scheme: newScheme()})
	if err != nil {
		return err
	}
	each := &observer{WithWatch: found}
	var pods corev1.PodList
	if err := each.List(ctx, &pods, client.MatchingLabels{"app.kubernetes.io/name": "sluice-ingest"}); err != nil {
		return err
	}
	if len(pods.Items) == 0 {
		return fmt.Errorf("there are no pods")
	}
	start, failures := time.Now(), make(chan error, *count)
	var group sync.WaitGroup
	for number := range *count {
		time.Sleep(time.Until(start.Add(time.Duration(float64(number) / *rate * float64(time.Second)))))
		pod := &pods.Items[number%len(pods.Items)]
		// Each report differs from the one before: its time has moved on by a second.
		at := time.Now().Add(time.Duration(number/len(pods.Items)) * time.Second)
		group.Go(func() {
			if err := each.applyReport(ctx, pod, at); err != nil {
				failures <- err
			}
		})
	}
	group.Wait()
	close(failures)
	fmt.Printf("{\"settledSeconds\": %f}\n", time.Since(start).Seconds())
	return <-failures
}
