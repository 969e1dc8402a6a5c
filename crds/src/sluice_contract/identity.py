"""Names that the operator, the pod and the manifests share."""

from __future__ import annotations

from .base import CamelStruct
from .spec import IngestJobSpec

GROUP = "sluice.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "IngestJob"
PLURAL = "ingestjobs"
SINGULAR = "ingestjob"
SHORT_NAME = "ij"
CATEGORY = "sluice"

PAUSE_KIND = "IngestPause"
PAUSES = "ingestpauses"
CLUSTER_PAUSE_KIND = "ClusterIngestPause"
CLUSTER_PAUSES = "clusteringestpauses"
POLICY_KIND = "IngestPolicy"
POLICIES = "ingestpolicies"

POD_SUFFIX = "-ingest"
MAX_JOB_NAME_LENGTH = 63 - len(POD_SUFFIX)

CONTAINER = "ingest"
HTTP_PORT = 8080
SERVICE_ACCOUNT = "sluice-ingest"
RUNTIME_CLUSTER_ROLE = "sluice-ingest"

OPERATOR_FIELD_MANAGER = "sluice-operator"
RUNTIME_FIELD_MANAGER = "sluice-runtime"

MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
MANAGED_BY = "sluice-operator"
NAME_LABEL = "app.kubernetes.io/name"
NAME = "sluice-ingest"
JOB_LABEL = f"{GROUP}/job"
TENANT_LABEL = f"{GROUP}/tenant"
PROVIDER_LABEL = f"{GROUP}/provider"
EPOCH_ANNOTATION = f"{GROUP}/epoch"
COLD_HASH_ANNOTATION = f"{GROUP}/cold-hash"
# A hash of the cold part of the spec alone: it tells a change of the job from a change of the operator's settings.
SPEC_HASH_ANNOTATION = f"{GROUP}/spec-hash"

# On the Lease of the operator's replicas: the version of the replica that leads, for those who may not read its pod.
OPERATOR_VERSION_ANNOTATION = f"{GROUP}/operator-version"

# The project of a job that names none: in the emulator, and with the operator's defaults. It is not a real project.
DEFAULT_PROJECT = "demo-sluice"

JOB_ENV = "SLUICE_JOB"
POD_UID_ENV = "POD_UID"
STANDALONE_POD_UID = "standalone"  # of a runtime without a pod
POD_IP_ENV = "POD_IP"

# The source of the pause that a pod reports until it has read its job for the first time. It is not a switch.
UNREAD_SOURCE = "start"
# The source of the pause of a pod that does not understand a stop field, or has not understood any spec yet.
UNREADABLE_SOURCE = "unreadable"
# The source of the pause of a job that is being deleted, or is gone.
DELETED_SOURCE = "deleted"

FIRESTORE_CREDENTIALS_DIR = "/etc/sluice/firestore"
HTTP_TOKEN_DIR = "/etc/sluice/http"  # noqa: S105  a directory
# An emptyDir for the state that a restart of the container needs. It is deleted with the pod.
STATE_DIR = "/var/lib/sluice"

FIRESTORE_CREDENTIALS_KEY = "credentials.json"
CA_KEY = "ca.crt"
TOKEN_KEY = "token"  # noqa: S105  the name of a key, not a key


def pod_name(job_name: str) -> str:
    """Return the name of the pod of a job. A job has at most one pod, because names are unique in the API server."""
    return job_name + POD_SUFFIX


class InjectedJob(CamelStruct, frozen=True):
    """The document with which the operator passes a job to its pod: JSON in the environment variable `SLUICE_JOB`.

    `spec` is the spec when the pod was created, with each hot field at its default. The pod reads the IngestJob from
    the API server before it opens a connection, because the job may have been paused meanwhile.
    """

    namespace: str
    name: str
    uid: str
    generation: int
    epoch: int
    project_id: str
    spec: IngestJobSpec
    cluster: str = ""  # the UID of the namespace kube-system; empty: unknown, or no cluster
