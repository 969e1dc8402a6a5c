package main

import (
	"encoding/json"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const epochOfPod = "sluice.dev/epoch"

func epochOf(pod *corev1.Pod) int64 {
	epoch, _ := strconv.ParseInt(pod.Annotations[epochOfPod], 10, 64)
	return epoch
}

// newPod returns a pod of the same form and size as those of Sluice's operator.
func newPod(job *Job, spec JobSpec, hash string, epoch int64) *corev1.Pod {
	yes, no, user, seconds, mode := true, false, int64(65532), int64(20), int32(0o440)
	injected, _ := json.Marshal(map[string]any{
		"namespace": job.Namespace, "name": job.Name, "uid": job.UID, "generation": job.Generation,
		"epoch": epoch, "projectID": "demo-sluice", "spec": job.Spec,
	})
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name:      job.Name + "-ingest",
			Namespace: job.Namespace,
			Labels: map[string]string{
				"app.kubernetes.io/managed-by": managedBy, "app.kubernetes.io/name": "sluice-ingest",
				"sluice.dev/job": job.Name, "sluice.dev/tenant": spec.Tenant, "sluice.dev/provider": spec.Provider,
			},
			Annotations: map[string]string{
				epochOfPod: strconv.FormatInt(epoch, 10), hashOfSpec: hash, "sluice.dev/spec-hash": hash,
			},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: jobVersion.String(), Kind: "IngestJob", Name: job.Name, UID: job.UID,
				Controller: &yes, BlockOwnerDeletion: &no,
			}},
		},
		Spec: corev1.PodSpec{
			ServiceAccountName:            "sluice-ingest",
			AutomountServiceAccountToken:  &yes,
			EnableServiceLinks:            &no,
			RestartPolicy:                 corev1.RestartPolicyOnFailure,
			TerminationGracePeriodSeconds: &seconds,
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: &yes, RunAsUser: &user, RunAsGroup: &user, FSGroup: &user,
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{newContainer(string(injected))},
			Volumes: []corev1.Volume{
				{Name: "state", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
				{Name: "token", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
					SecretName: "http", DefaultMode: &mode, Optional: &yes,
				}}},
			},
		},
	}
}

func newContainer(injected string) corev1.Container {
	yes, no := true, false
	field := func(name, path string) corev1.EnvVar {
		source := &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}
		return corev1.EnvVar{Name: name, ValueFrom: source}
	}
	return corev1.Container{
		Name:    "ingest",
		Image:   "sluice-runtime:0.1.0",
		Command: []string{"sluice-runtime"},
		Args:    []string{"run"},
		Env: []corev1.EnvVar{
			{Name: "SLUICE_JOB", Value: injected},
			field("POD_UID", "metadata.uid"), field("POD_IP", "status.podIP"), field("POD_NAME", "metadata.name"),
		},
		Ports:          []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
		StartupProbe:   newProbe("/livez", 1, 60),
		LivenessProbe:  newProbe("/livez", 10, 6),
		ReadinessProbe: newProbe("/readyz", 5, 2),
		Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{
				corev1.ResourceCPU: resource.MustParse("50m"), corev1.ResourceMemory: resource.MustParse("96Mi"),
			},
			Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("192Mi")},
		},
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes,
			Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		},
		TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
		VolumeMounts: []corev1.VolumeMount{
			{Name: "state", MountPath: "/var/lib/sluice"}, {Name: "token", MountPath: "/etc/sluice/http", ReadOnly: true},
		},
	}
}

func newProbe(path string, period, failures int32) *corev1.Probe {
	action := &corev1.HTTPGetAction{Path: path, Port: intstr.FromString("http")}
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{HTTPGet: action}, PeriodSeconds: period, TimeoutSeconds: 5,
		FailureThreshold: failures,
	}
}
