"""The manifests of the objects that a job needs: ServiceAccount, RoleBinding and pod."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from sluice_contract import identity
from sluice_contract.identity import InjectedJob
from sluice_contract.pod import PodOptions
from sluice_contract.spec import IngestJobSpec, with_default_hot_fields

from .objects import Job
from .platform_bounds import PlatformBounds
from .pod_volumes import mounts_and_volumes
from .rollout import RolloutSettings
from .sparse_document import without_default_fields

Manifest = dict[str, Any]

_UID = 65532  # "nonroot" in the distroless images
_USER_IDS = {"runAsUser": _UID, "runAsGroup": _UID, "fsGroup": _UID}
# The limit is twice the request: the queues of a pod are bounded, so a pod that needs more has a leak, and a restart is
# better than harm to its neighbours. There is no CPU limit, because throttling delays quotes by whole periods.
_RESOURCES = {"requests": {"cpu": "50m", "memory": "96Mi"}, "limits": {"memory": "192Mi"}}
_encode = msgspec.json.Encoder(order="deterministic").encode


class ProxyVariable(msgspec.Struct, frozen=True):
    """A variable of the pods that names a proxy. Its repr leaves out the value, which may contain a password."""

    name: str
    value: str

    def __repr__(self) -> str:
        return f"ProxyVariable({self.name})"


class PodSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of ingest pods that the operator's administrator chooses, not the author of a job."""

    image: str
    project_id: str  # for jobs that name no Firestore project
    firestore_emulator_host: str = ""  # empty: the real Firestore
    priority_class: str = ""  # empty: the cluster's default
    cluster: str = ""  # the UID of the cluster; empty: unknown
    proxies: tuple[ProxyVariable, ...] = ()
    user_ids_from_platform: bool = False  # if True, a pod names no user and no group: the platform chooses them
    bounds: PlatformBounds = PlatformBounds()  # what a job may ask for; no part of a pod
    rollout: RolloutSettings = RolloutSettings()  # how many pods are replaced at a time; no part of a pod


def service_account_manifest(namespace: str) -> Manifest:
    """Return the ServiceAccount of the namespace's ingest pods. Its token is mounted only in pods that request it."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": _account_metadata(namespace),
        "automountServiceAccountToken": False,
    }


def role_binding_manifest(namespace: str) -> Manifest:
    """Return the RoleBinding that lets the namespace's ingest pods read their jobs and write their status."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": _account_metadata(namespace),
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": identity.RUNTIME_CLUSTER_ROLE,
        },
        "subjects": [{"kind": "ServiceAccount", "name": identity.SERVICE_ACCOUNT, "namespace": namespace}],
    }


def cold_hash(job: Job, settings: PodSettings) -> str:
    """Return a hash of 16 hexadecimal digits, which changes exactly when the operator would build a different pod.

    It is the hash of the pod manifest without hot fields, epoch, generation, cluster and user IDs. A pod
    that runs was accepted with its user ID, so the setting `user_ids_from_platform` replaces no pod. A new version of
    the operator may add a field: while it has its default, the hash stays the same, as the injected document has no
    defaults.
    """
    cold = _cold_part(job)
    neutral_job = msgspec.structs.replace(
        job, metadata=msgspec.structs.replace(job.metadata, generation=0), spec=cold.spec
    )
    neutral_settings = msgspec.structs.replace(settings, cluster="", user_ids_from_platform=False)
    # Without the hash of the spec, which pods of earlier operators do not have.
    manifest = _manifest_with_hashes(neutral_job, cold, 0, neutral_settings, {identity.COLD_HASH_ANNOTATION: ""})
    return hashlib.sha256(_encode(manifest)).hexdigest()[:16]


def spec_hash(job: Job) -> str:
    """Return a hash of 16 hexadecimal digits of the cold part of the spec, which the operator's settings do not change.

    It is the hash of the spec as it is injected, which has no field that has its default.
    """
    return _cold_part(job).digest()


def pod_manifest(job: Job, epoch: int, cold_hash: str, settings: PodSettings) -> Manifest:
    """Return the manifest of the job's pod. A pod with another `cold_hash` is replaced. `job.spec` must not be None."""
    cold = _cold_part(job)
    hashes = {identity.COLD_HASH_ANNOTATION: cold_hash, identity.SPEC_HASH_ANNOTATION: cold.digest()}
    return _manifest_with_hashes(job, cold, epoch, settings, hashes)


class _ColdPart(msgspec.Struct, frozen=True):
    """The spec with defaults in place of its hot fields, and the same as it is injected: without any defaults."""

    spec: IngestJobSpec
    document: Manifest

    def digest(self) -> str:
        """Return the spec hash."""
        return hashlib.sha256(_encode(self.document)).hexdigest()[:16]


def _cold_part(job: Job) -> _ColdPart:
    spec = with_default_hot_fields(_understood_spec_or_raise(job))
    return _ColdPart(spec, without_default_fields(spec))


def _manifest_with_hashes(
    job: Job, cold: _ColdPart, epoch: int, settings: PodSettings, hashes: dict[str, str]
) -> Manifest:
    """Return the manifest of the job's pod. `cold` is the cold part of `job`, and `hashes` are its last annotations."""
    spec = _understood_spec_or_raise(job)
    declared, mounts = spec.pod or PodOptions(), mounts_and_volumes(spec, _secret_file_mode(settings))
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": identity.pod_name(job.metadata.name),
            "namespace": job.metadata.namespace,
            "labels": {**declared.labels, **_pod_labels(job, spec)},
            "annotations": {**declared.annotations, identity.EPOCH_ANNOTATION: str(epoch), **hashes},
            "ownerReferences": [_owner_reference(job)],
        },
        "spec": {
            "serviceAccountName": identity.SERVICE_ACCOUNT,
            "automountServiceAccountToken": True,
            "enableServiceLinks": False,  # in a namespace with many Services they would fill the environment
            "restartPolicy": "OnFailure",
            **_scheduling_fields(declared, settings),
            "terminationGracePeriodSeconds": 20,  # enough to flush (at most 3 s) and close the sockets
            "securityContext": {
                "runAsNonRoot": True,
                **({} if settings.user_ids_from_platform else _USER_IDS),
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [_ingest_container(job, cold, epoch, settings, [mount for mount, _ in mounts])],
            "volumes": [volume for _, volume in mounts],
        },
    }


def _secret_file_mode(settings: PodSettings) -> int:
    """Return the mode of the files of mounted Secrets, which belong to root and, if the pod has one, to its fsGroup."""
    # Without an fsGroup of its own, the pod's group is not known here: only a file for everyone can certainly be read.
    # No process of another pod can reach the volume.
    return 0o444 if settings.user_ids_from_platform else 0o440


def _scheduling_fields(declared: PodOptions, settings: PodSettings) -> Manifest:
    """Return the fields of the pod's spec for scheduling and image pulls. Unset fields are absent."""
    found: Manifest = {
        "priorityClassName": declared.priority_class_name or settings.priority_class,
        "nodeSelector": dict(declared.node_selector),
        "tolerations": msgspec.to_builtins(declared.tolerations),
        "imagePullSecrets": msgspec.to_builtins(declared.image_pull_secrets),
    }
    return {name: value for name, value in found.items() if value}


def _understood_spec_or_raise(job: Job) -> IngestJobSpec:
    if job.spec is None:
        raise ValueError(f"the pod cannot be built: {job.problem}")
    return job.spec


def _account_metadata(namespace: str) -> Manifest:
    labels = {identity.MANAGED_BY_LABEL: identity.MANAGED_BY, identity.NAME_LABEL: identity.NAME}
    return {"name": identity.SERVICE_ACCOUNT, "namespace": namespace, "labels": labels}


def _pod_labels(job: Job, spec: IngestJobSpec) -> dict[str, str]:
    return {
        identity.MANAGED_BY_LABEL: identity.MANAGED_BY,
        identity.NAME_LABEL: identity.NAME,
        identity.JOB_LABEL: job.metadata.name,
        identity.TENANT_LABEL: spec.tenant,
        identity.PROVIDER_LABEL: spec.provider,
    }


def _owner_reference(job: Job) -> Manifest:
    return {
        "apiVersion": identity.API_VERSION,
        "kind": identity.KIND,
        "name": job.metadata.name,
        "uid": job.metadata.uid,
        "controller": True,
        # True requires permission to update the job's finalizers, and a new job waits for the old pod anyway.
        "blockOwnerDeletion": False,
    }


def _ingest_container(job: Job, cold: _ColdPart, epoch: int, settings: PodSettings, mounts: list[Manifest]) -> Manifest:
    declared = cold.spec.pod or PodOptions()  # no field of it is hot
    return {
        "name": identity.CONTAINER,
        "image": settings.image,
        "command": ["sluice-runtime"],
        "args": ["run"],
        "env": _container_environment(job, cold, epoch, settings),
        "ports": [{"name": "http", "containerPort": identity.HTTP_PORT}],
        # One probe a second until the process is up; after that, only a process whose event loop hangs is killed.
        "startupProbe": _http_probe("/livez", period=1, failures=60),
        "livenessProbe": _http_probe("/livez", period=10, failures=6),
        "readinessProbe": _http_probe("/readyz", period=5, failures=2),
        "resources": msgspec.to_builtins(declared.resources) if declared.resources else _RESOURCES,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": mounts,
    }


def _container_environment(job: Job, cold: _ColdPart, epoch: int, settings: PodSettings) -> list[Manifest]:
    # A pod uses only the cold part before it has read its live job. The whole spec would also be too long: Linux allows
    # 128 KiB for one variable, which 2,000 symbols with their pauses exceed.
    spec = cold.spec
    injected = InjectedJob(
        namespace=job.metadata.namespace,
        name=job.metadata.name,
        uid=job.metadata.uid,
        generation=job.metadata.generation,
        epoch=epoch,
        project_id=spec.firestore.project_id or settings.project_id,
        spec=spec,
        cluster=settings.cluster,
    )
    document = msgspec.to_builtins(injected) | {"spec": cold.document}
    emulator = {"name": "FIRESTORE_EMULATOR_HOST", "value": settings.firestore_emulator_host}
    return [
        {"name": identity.JOB_ENV, "value": _encode(document).decode()},
        _variable_from_pod_field(identity.POD_UID_ENV, "metadata.uid"),
        _variable_from_pod_field(identity.POD_IP_ENV, "status.podIP"),
        _variable_from_pod_field("POD_NAME", "metadata.name"),
        *([emulator] if settings.firestore_emulator_host else []),
        *({"name": each.name, "value": each.value} for each in settings.proxies),
        *({"name": each.name, "value": each.value} for each in (spec.pod or PodOptions()).env),
    ]


def _variable_from_pod_field(name: str, path: str) -> Manifest:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def _http_probe(path: str, period: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": path, "port": "http"},
        "periodSeconds": period,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }
