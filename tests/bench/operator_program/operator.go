package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

const (
	managedBy  = "sluice-operator"
	owner      = client.FieldOwner("peer-operator")
	hashOfSpec = "sluice.dev/cold-hash"
)

// operator keeps one pod and one status for each job, as Sluice's operator does.
type operator struct {
	client.Client
	accounts sync.Map // the namespaces whose ServiceAccount and RoleBinding are applied: name to *sync.Once
}

func runOperator(ctx context.Context, config *rest.Config, arguments []string) error {
	flags := flag.NewFlagSet("operator", flag.ContinueOnError)
	workers := flags.Int("workers", 16, "concurrent reconciliations")
	probe := flags.String("probe", "127.0.0.1:18735", "address of /healthz")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	ctrl.SetLogger(logr.Discard())
	ours := cache.ByObject{Label: labels.SelectorFromSet(labels.Set{"app.kubernetes.io/managed-by": managedBy})}
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                  newScheme(),
		Cache:                   cache.Options{ByObject: map[client.Object]cache.ByObject{&corev1.Pod{}: ours}},
		Metrics:                 server.Options{BindAddress: "0"},
		HealthProbeBindAddress:  *probe,
		LeaderElection:          true,
		LeaderElectionID:        "peer-operator",
		LeaderElectionNamespace: "default",
	})
	if err != nil {
		return err
	}
	// It leads only after it has listed everything.
	leads := func(*http.Request) error {
		select {
		case <-manager.Elected():
			return nil
		default:
			return errors.New("another replica leads")
		}
	}
	if err := manager.AddHealthzCheck("leader", leads); err != nil {
		return err
	}
	err = ctrl.NewControllerManagedBy(manager).
		For(&Job{}).
		Owns(&corev1.Pod{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: *workers}).
		Complete(&operator{Client: manager.GetClient()})
	if err != nil {
		return err
	}
	return manager.Start(ctx)
}

// Reconcile creates, replaces or deletes the pod of one job, then writes its status if that has changed.
func (each *operator) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var job Job
	if err := each.Get(ctx, request.NamespacedName, &job); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	var spec JobSpec
	if err := json.Unmarshal(job.Spec, &spec); err != nil || job.DeletionTimestamp != nil {
		return ctrl.Result{}, nil
	}
	digest := sha256.Sum256(job.Spec)
	hash := hex.EncodeToString(digest[:8])
	pod := &corev1.Pod{}
	err := each.Get(ctx, client.ObjectKey{Namespace: job.Namespace, Name: job.Name + "-ingest"}, pod)
	switch {
	case apierrors.IsNotFound(err):
		if err := each.applyAccount(ctx, job.Namespace); err != nil {
			return ctrl.Result{}, err
		}
		pod = newPod(&job, spec, hash, max(time.Now().Unix(), job.Status.Epoch+1))
		if err := each.Create(ctx, pod); err != nil {
			return ctrl.Result{}, client.IgnoreAlreadyExists(err)
		}
	case err != nil:
		return ctrl.Result{}, err
	case pod.Annotations[hashOfSpec] != hash && pod.DeletionTimestamp == nil:
		gone := client.Preconditions{UID: &pod.UID, ResourceVersion: &pod.ResourceVersion}
		if err := each.Delete(ctx, pod, gone); err != nil {
			return ctrl.Result{}, client.IgnoreNotFound(err)
		}
	}
	return ctrl.Result{}, each.writeStatus(ctx, &job, pod)
}

func (each *operator) writeStatus(ctx context.Context, job *Job, pod *corev1.Pod) error {
	status := newStatus(job, pod)
	if equality.Semantic.DeepEqual(job.Status, status) {
		return nil
	}
	changed := job.copy()
	changed.Status = status
	return client.IgnoreNotFound(each.Status().Patch(ctx, changed, client.MergeFrom(job), owner))
}

// applyAccount applies the ServiceAccount and the RoleBinding once for each namespace.
func (each *operator) applyAccount(ctx context.Context, namespace string) error {
	once, _ := each.accounts.LoadOrStore(namespace, &sync.Once{})
	var failed error
	once.(*sync.Once).Do(func() {
		about := metav1.ObjectMeta{Name: "sluice-ingest", Namespace: namespace}
		account := &corev1.ServiceAccount{ObjectMeta: about}
		account.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ServiceAccount"))
		binding := &rbacv1.RoleBinding{
			ObjectMeta: about,
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "sluice-ingest"},
			Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Name: "sluice-ingest", Namespace: namespace}},
		}
		binding.SetGroupVersionKind(rbacv1.SchemeGroupVersion.WithKind("RoleBinding"))
		for _, object := range []client.Object{account, binding} {
			if err := each.Patch(ctx, object, client.Apply, owner, client.ForceOwnership); err != nil {
				failed = err
				each.accounts.Delete(namespace)
				return
			}
		}
	})
	return failed
}

// newStatus returns the status of the job: conditions of the same number and length as those of Sluice's operator.
func newStatus(job *Job, pod *corev1.Pod) JobStatus {
	status := job.copy().Status
	status.ObservedGeneration, status.PodName = job.Generation, pod.Name
	if epoch := epochOf(pod); epoch > status.Epoch {
		status.Epoch = epoch
	}
	var stream StreamStatus
	_ = json.Unmarshal(job.Status.Stream, &stream)
	running := pod.Status.Phase == corev1.PodRunning
	live := running && stream.PodUID == string(pod.UID) && stream.State == "Live"
	status.Phase = "Starting"
	reason, message := "PodStarting", "The pod is starting."
	if running {
		reason, message = "WaitingForReport", "The pod runs and has not reported yet."
	}
	if live {
		status.Phase, reason, message = "Running", "Streaming", stream.Symbols.Live+" symbols are live."
	}
	set := func(kind string, value bool, reason, message string) {
		condition := metav1.Condition{Type: kind, Status: metav1.ConditionFalse, Reason: reason, Message: message}
		if value {
			condition.Status = metav1.ConditionTrue
		}
		condition.ObservedGeneration = job.Generation
		meta.SetStatusCondition(&status.Conditions, condition)
	}
	set("Ready", live, reason, message)
	set("Streaming", live, reason, message)
	set("CredentialsValid", true, "NotNeeded", "Provider synthetic needs no credentials here.")
	if live {
		set("SinkHealthy", stream.Sink.Healthy, "Writing", "Writes to Firestore succeed.")
		meta.RemoveStatusCondition(&status.Conditions, "Reconciling")
	} else {
		set("Reconciling", true, reason, message)
	}
	return status
}
