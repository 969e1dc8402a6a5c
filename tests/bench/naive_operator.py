"""A naive kopf operator for IngestJobs: create, update and resume handlers with the blocking client, as in tutorials.

It is what `operator_cost` compares Sluice's operator with. It does not follow its pods.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

import kopf
from kubernetes import client, config

_accounts: set[str] = set()
_lock = threading.Lock()


def _core() -> Any:
    return client.CoreV1Api()


def _rbac() -> Any:
    return client.RbacAuthorizationV1Api()


def ensure_account(namespace: str) -> None:
    """Create the ServiceAccount and the RoleBinding of the namespace, once."""
    with _lock:
        if namespace in _accounts:
            return
        metadata = {"name": "sluice-ingest", "namespace": namespace}
        _core().create_namespaced_service_account(namespace, {"metadata": metadata})
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "sluice-ingest"}
        binding = {
            "metadata": metadata,
            "roleRef": role,
            "subjects": [{"kind": "ServiceAccount", "name": "sluice-ingest", "namespace": namespace}],
        }
        _rbac().create_namespaced_role_binding(namespace, binding)
        _accounts.add(namespace)


def pod_manifest(name: str, namespace: str, uid: str, spec: dict[str, Any], epoch: int) -> dict[str, Any]:
    """Return a pod of the form and size of those of Sluice's operator."""
    injected = {"namespace": namespace, "name": name, "uid": uid, "generation": 1, "epoch": epoch, "spec": spec}
    fields = {"POD_UID": "metadata.uid", "POD_IP": "status.podIP", "POD_NAME": "metadata.name"}
    container = {
        "name": "ingest",
        "image": "sluice-runtime:0.1.0",
        "command": ["sluice-runtime"],
        "args": ["run"],
        "env": [
            {"name": "SLUICE_JOB", "value": json.dumps(injected)},
            *({"name": each, "valueFrom": {"fieldRef": {"fieldPath": path}}} for each, path in fields.items()),
        ],
        "ports": [{"name": "http", "containerPort": 8080}],
        **{
            f"{kind}Probe": {"httpGet": {"path": path, "port": "http"}, "timeoutSeconds": 5, "periodSeconds": 5}
            for kind, path in (("startup", "/livez"), ("liveness", "/livez"), ("readiness", "/readyz"))
        },
        "resources": {"requests": {"cpu": "50m", "memory": "96Mi"}, "limits": {"memory": "192Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    return {
        "metadata": {
            "name": f"{name}-ingest",
            "namespace": namespace,
            "labels": {
                "app.kubernetes.io/managed-by": "sluice-operator",
                "app.kubernetes.io/name": "sluice-ingest",
                "sluice.dev/job": name,
                "sluice.dev/tenant": spec["tenant"],
                "sluice.dev/provider": spec["provider"],
            },
            "annotations": {"sluice.dev/epoch": str(epoch)},
        },
        "spec": {
            "serviceAccountName": "sluice-ingest",
            "restartPolicy": "OnFailure",
            "terminationGracePeriodSeconds": 20,
            "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532},
            "containers": [container],
        },
    }


@kopf.on.create("sluice.dev", "v1alpha1", "ingestjobs")
@kopf.on.update("sluice.dev", "v1alpha1", "ingestjobs")
@kopf.on.resume("sluice.dev", "v1alpha1", "ingestjobs")
def ensure_pod(body: kopf.Body, spec: kopf.Spec, patch: kopf.Patch, **_: Any) -> None:
    """Create the pod of the job if it has none, and write the status."""
    name, namespace = str(body.metadata.name), str(body.metadata.namespace)
    ensure_account(namespace)
    epoch = int(time.time())
    manifest = pod_manifest(name, namespace, str(body.metadata.uid), dict(spec), epoch)
    kopf.adopt(manifest, owner=body)
    try:
        _core().create_namespaced_pod(namespace, manifest)
    except client.ApiException as error:
        if error.status != 409:
            raise
        return
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    ready = {"type": "Ready", "status": "False", "reason": "PodStarting", "message": "The pod is starting."}
    generation = int(body.metadata["generation"])
    condition = {**ready, "lastTransitionTime": now, "observedGeneration": generation}
    patch.status.update(
        observedGeneration=generation,
        phase="Starting",
        podName=f"{name}-ingest",
        epoch=epoch,
        conditions=[condition, {**condition, "type": "Streaming"}],
    )


def main() -> None:
    """Run until SIGTERM. The argument is the URL of the liveness endpoint. KUBECONFIG is set."""
    config.load_kube_config()  # type: ignore[no-untyped-call]
    kopf.run(standalone=True, clusterwide=True, liveness_endpoint=sys.argv[1])


if __name__ == "__main__":
    main()
