"""The pod that deletes the documents of a job, and what it reports."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from ..contract import contract
from .fields import child, number, objects, text
from .job import JobStatus

CONTAINER = "purge"
_RESULT_FILE = "/dev/termination-log"
_LONGEST_PREFIX = 58  # the API server adds five characters, and a name has 63 at most
# Fields of the job's pod that decide where a pod may run, and as whom.
_POD_FIELDS = ("serviceAccountName", "securityContext", "imagePullSecrets", "nodeSelector", "tolerations")
_CONTAINER_FIELDS = ("image", "imagePullPolicy", "command", "env", "resources", "securityContext")
# The policies of the network of some namespaces select pods by these labels.
_LABELS = ("sluice.dev/tenant", "sluice.dev/provider")


class PurgeResult(NamedTuple):
    """The number of documents by their kind. `error` is why the pod failed, with what to do."""

    found: dict[str, int]
    deleted: dict[str, int]
    error: str


def refusal_of_purge(job: JobStatus) -> str:
    """Return why the documents of a job must not be deleted now; empty if they may be."""
    if job.state.level in ("paused", "finished"):
        return ""
    return f"{job.full_name} is not paused ({f'{job.state.word} {job.state.reason}'.strip()}), so it can write."


def purge_pod(job_pod: dict[str, Any], seconds: int, *, is_dry_run: bool) -> dict[str, Any]:
    """Return the pod that deletes the documents of the job of `job_pod`, and ends after `seconds` at the latest.

    It has the image, the account, the project and the security of the job's pod, and of its volumes only the key for
    Firestore. Without the label of the operator, the operator does not take it for the pod of a job.
    """
    metadata, spec = child(job_pod, "metadata"), child(job_pod, "spec")
    own = next((each for each in objects(spec, "containers") if each.get("name") == contract()["container"]), {})
    mounts = [
        each for each in objects(own, "volumeMounts") if each.get("mountPath") == contract()["firestoreDirectory"]
    ]
    names = {each.get("name") for each in mounts}
    container = {
        **_picked(own, _CONTAINER_FIELDS),
        "name": CONTAINER,
        "args": ["purge", "--result-file", _RESULT_FILE, *(["--dry-run"] if is_dry_run else [])],
        "terminationMessagePath": _RESULT_FILE,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": mounts,
    }
    labels = child(metadata, "labels")
    job = text(labels, "sluice.dev/job")
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": f"{job}-purge-"[:_LONGEST_PREFIX],
            "namespace": text(metadata, "namespace"),
            "labels": {"app.kubernetes.io/name": "sluice-purge", **_picked(labels, _LABELS)},
        },
        "spec": {
            **_picked(spec, _POD_FIELDS),
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "restartPolicy": "Never",
            "activeDeadlineSeconds": seconds,
            "containers": [container],
            "volumes": [each for each in objects(spec, "volumes") if each.get("name") in names],
        },
    }


def result_of_purge(pod: dict[str, Any]) -> PurgeResult | None:
    """Return what the pod reports; None while it runs."""
    phase = text(pod, "status", "phase")
    if phase not in ("Succeeded", "Failed"):
        return None
    statuses = [each for each in objects(pod, "status", "containerStatuses") if text(each, "name") == CONTAINER]
    message = child(statuses[0], "state", "terminated").get("message") if statuses else None
    try:
        reported = json.loads(message or "")
    except ValueError:
        said = text({"message": message}, "message") or text(pod, "status", "message") or text(pod, "status", "reason")
        if "purge is not a command" in said:
            said = "the image of the job's pod is older than this command; upgrade the operator, which replaces the pod"
        return PurgeResult({}, {}, said or "its pod ended without a result")
    return PurgeResult(_counts(reported, "found"), _counts(reported, "deleted"), text(reported, "error"))


def pending_reason(pod: dict[str, Any]) -> str:
    """Return why the pod has not ended yet, as far as the API server says."""
    for each in objects(pod, "status", "containerStatuses"):
        waiting = child(each, "state", "waiting")
        if reason := text(waiting, "reason"):
            return ": ".join(filter(None, (reason, text(waiting, "message"))))
    unmet = [each for each in objects(pod, "status", "conditions") if text(each, "status") == "False"]
    said = next((text(each, "message") for each in unmet if text(each, "message")), "")
    return said or f"its pod is {text(pod, 'status', 'phase') or 'not seen'}"


def _counts(reported: Any, name: str) -> dict[str, int]:
    found = child(reported, name)
    return {kind: count for kind in found if (count := number(found, kind)) is not None}


def _picked(fields: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: fields[name] for name in names if name in fields}
