package main

import (
	"bytes"
	"encoding/json"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
)

var jobVersion = schema.GroupVersion{Group: "sluice.dev", Version: "v1alpha1"}

// Job is an IngestJob. The spec stays text, because the operator passes it on to the pod as it is.
type Job struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              json.RawMessage `json:"spec,omitempty"`
	Status            JobStatus       `json:"status,omitempty"`
}

// JobSpec has the fields of the spec that the operator itself reads.
type JobSpec struct {
	Tenant   string `json:"tenant"`
	Provider string `json:"provider"`
	Enabled  *bool  `json:"enabled,omitempty"`
}

// JobStatus has the operator's fields, and the pod's report as text.
type JobStatus struct {
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
	Phase              string             `json:"phase,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
	PodName            string             `json:"podName,omitempty"`
	Epoch              int64              `json:"epoch,omitempty"`
	Stream             json.RawMessage    `json:"stream,omitempty"`
}

// StreamStatus has the fields of the pod's report that the operator reads.
type StreamStatus struct {
	PodUID  string `json:"podUID"`
	State   string `json:"state"`
	Symbols struct {
		Live string `json:"live"`
	} `json:"symbols"`
	Sink struct {
		Healthy bool `json:"healthy"`
	} `json:"sink"`
}

// JobList is a list of IngestJobs.
type JobList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Job `json:"items"`
}

func (job *Job) DeepCopyObject() runtime.Object { return job.copy() }

func (job *Job) copy() *Job {
	copied := *job
	job.ObjectMeta.DeepCopyInto(&copied.ObjectMeta)
	copied.Spec = bytes.Clone(job.Spec)
	copied.Status.Conditions = slices.Clone(job.Status.Conditions)
	copied.Status.Stream = bytes.Clone(job.Status.Stream)
	return &copied
}

func (list *JobList) DeepCopyObject() runtime.Object {
	copied := *list
	copied.Items = make([]Job, len(list.Items))
	for at := range list.Items {
		copied.Items[at] = *list.Items[at].copy()
	}
	return &copied
}

// operatorsPart returns the status without the pod's report, to tell the operator's writes from the pod's.
func (status JobStatus) operatorsPart() string {
	status.Stream = nil
	text, _ := json.Marshal(status)
	return string(text)
}

func newScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	_ = clientgoscheme.AddToScheme(scheme)
	scheme.AddKnownTypeWithName(jobVersion.WithKind("IngestJob"), &Job{})
	scheme.AddKnownTypeWithName(jobVersion.WithKind("IngestJobList"), &JobList{})
	metav1.AddToGroupVersion(scheme, jobVersion)
	return scheme
}
