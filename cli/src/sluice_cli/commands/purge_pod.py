"""Running of the pod that deletes documents: it is created, waited for, and deleted in any case."""

from __future__ import annotations

import json
from typing import Any

from ..model.fields import text
from ..model.purge import PurgeResult, pending_reason, purge_pod, result_of_purge
from ..transport import FIELD_MANAGER, NotFoundError, RefusedError, TransportError
from .context import Context
from .reading import finished

POLL_SECONDS = 0.3
_POLICY = "sluice-ingest-pods"  # lets only the operator and some people start pods with the account of the feeds
_SLACK_SECONDS = 30  # the pod ends by itself a little later than the plugin stops waiting


def run_purge_pod(context: Context, job_pod: dict[str, Any], seconds: float, *, is_dry_run: bool) -> PurgeResult:
    """Run the pod to its end, for `seconds` at most. Return what it reports.

    Raises:
        TransportError: the API server does not answer, or does not permit or accept the pod.
    """
    document = purge_pod(job_pod, int(seconds) + _SLACK_SECONDS, is_dry_run=is_dry_run)
    folder = f"/api/v1/namespaces/{document['metadata']['namespace']}/pods"
    created = _create(context, folder, document)
    path = f"{folder}/{text(created, 'metadata', 'name')}"
    try:
        return _wait(context, path, seconds)
    finally:
        _delete(context, path)


def _create(context: Context, folder: str, document: dict[str, Any]) -> dict[str, Any]:
    path = f"{folder}?fieldManager={FIELD_MANAGER}"
    try:
        created: dict[str, Any] = json.loads(
            context.kubectl.run("create", "--raw", path, "-f", "-", text=json.dumps(document))
        )
    except RefusedError as error:
        if _POLICY not in str(error):
            raise
        raise RefusedError(
            f"You may not start pods with the account of the feeds: you need the right to create ingestjobs/pods in "
            f"namespace {document['metadata']['namespace']}. Ask an administrator; see docs/kubectl-sluice.md."
        ) from error
    return created


def _wait(context: Context, path: str, seconds: float) -> PurgeResult:
    began_at = context.now()
    while True:
        try:
            pod = json.loads(finished(context.kubectl.start_read(path)))
        except NotFoundError:
            return PurgeResult({}, {}, "its pod was deleted before it ended; repeat the command")
        result = result_of_purge(pod)
        if result is not None:
            return result
        if (context.now() - began_at).total_seconds() >= seconds:
            reason = pending_reason(pod)
            return PurgeResult(
                {}, {}, f"it has not ended after {seconds:.0f} s ({reason}); repeat it with --timeout 5m"
            )
        context.sleep(POLL_SECONDS)


def _delete(context: Context, path: str) -> None:
    """Delete the pod. What does not work is only a warning: the pod ends by itself."""
    try:
        context.kubectl.run("delete", "--raw", path)
    except NotFoundError:
        return
    except TransportError as error:
        name, namespace = path.rpartition("/")[2], path.split("/")[4]
        context.warn(f"The pod {name} was not deleted: {error}", f"  → kubectl delete pod {name} -n {namespace}")
