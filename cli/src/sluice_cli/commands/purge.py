"""`kubectl sluice purge`: deletes the Firestore documents of a paused job, after its name was typed."""

from __future__ import annotations

import argparse
import json
from typing import Any, NamedTuple

from ..contract import api_path, pod_path
from ..model.declared_pod import declared_pod
from ..model.job import JobStatus, status_of_job
from ..model.purge import PurgeResult, refusal_of_purge
from ..model.switches import PauseView
from ..transport import NotFoundError, TransportError
from ..views.documents import document, formatted
from ..views.sentences import command_for
from .cluster_requests import DEPLOYMENT_PATH, JOB
from .context import DONE, NOT_REACHED, Context
from .purge_pod import POLL_SECONDS, run_purge_pod
from .reading import finished
from .selection import missing_job_text, selection_of

_NAMES = {
    "quotes": ("quote", "quotes"),
    "bars": ("bar", "bars"),
    "records": ("record of a symbol", "records of symbols"),
    "gaps": ("gap", "gaps"),
    "heartbeats": ("heartbeat", "heartbeats"),
}


class _Target(NamedTuple):
    """The job whose documents are deleted, and its pod; if it has none, what it would be, or None if unknown."""

    job: JobStatus
    pod: dict[str, Any] | None
    has_pod: bool


def run_purge(options: argparse.Namespace, context: Context) -> int:
    """Count the documents of a job, or delete them. Return the exit code: 1 if they were not deleted."""
    selection = selection_of(options, [options.job])
    namespace = selection.namespace or context.kubectl.current_namespace()
    target = _read_target(context, namespace, selection.names[0])
    if target is None:
        context.warn(missing_job_text(selection.names[0], f"namespace {namespace}"))
        return NOT_REACHED
    if target.pod is None:
        context.warn(
            f"{target.job.full_name} has no pod, and the operator's Deployment does not have its settings. Resume the",
            "job, so that it has a pod, pause it, and repeat the command.",
            f"  → {command_for(target.job, 'resume')}",
        )
        return NOT_REACHED
    if not options.dry_run and not _is_confirmed(context, target, deletes_job=options.delete_job):
        return NOT_REACHED
    result = run_purge_pod(context, target.pod, options.timeout, is_dry_run=options.dry_run)
    if options.delete_job and not options.dry_run and not result.error:
        result = _purge_again_without_job(options, context, target, target.pod, result)
    _report(options, context, target, result)
    return NOT_REACHED if result.error else DONE


def _read_target(context: Context, namespace: str, name: str) -> _Target | None:
    paths = (api_path(JOB, namespace, name), pod_path(namespace, name))
    job_request, pod_request = map(context.kubectl.start_read, paths)
    try:
        job = json.loads(finished(job_request))
    except NotFoundError:
        pod_request.discard()
        return None
    except TransportError:
        pod_request.discard()
        raise
    status = status_of_job(job, PauseView({}), context.now())
    try:
        return _Target(status, json.loads(finished(pod_request)), has_pod=True)
    except NotFoundError:
        return _Target(status, _declared_pod(context, job), has_pod=False)


def _declared_pod(context: Context, job: dict[str, Any]) -> dict[str, Any] | None:
    """Return the pod of a job that has none, by the settings of the operator; None if they are not known.

    Raises:
        TransportError: the user may not read the operator's Deployment, or there is another failure.
    """
    try:
        deployment = json.loads(finished(context.kubectl.start_read(DEPLOYMENT_PATH)))
    except NotFoundError:
        return None
    return declared_pod(job, deployment)


def _is_confirmed(context: Context, target: _Target, *, deletes_job: bool) -> bool:
    """Return whether the job is paused and its name was typed; say why if not."""
    job = target.job
    if refusal := refusal_of_purge(job):
        command = command_for(job, "pause", '--reason "purge"')
        context.warn(refusal, "Pause it first, and nothing was deleted.", f"  → {command}")
        return False
    what = " and then the job itself" if deletes_job else ""
    context.write(f"This deletes all documents of {job.full_name} in Firestore{what}.")
    context.output.write(f"Type {job.name} to continue: ")
    context.output.flush()
    if context.input.readline().strip() == job.name:
        return True
    context.warn("Nothing was deleted.")
    return False


def _purge_again_without_job(
    options: argparse.Namespace, context: Context, target: _Target, pod: dict[str, Any], first: PurgeResult
) -> PurgeResult:
    """Delete the job, and then what its pod has written since. Return the sums of both results."""
    namespace, name = target.job.namespace, target.job.name
    context.kubectl.delete(JOB, namespace, name)
    if not _is_gone(context, pod_path(namespace, name), options.timeout):
        return first._replace(error="the pod of the deleted job still runs, and can write its heartbeat")
    second = run_purge_pod(context, pod, options.timeout, is_dry_run=False)
    deleted = {kind: count + second.deleted.get(kind, 0) for kind, count in first.deleted.items()}
    return PurgeResult(first.found, deleted, second.error)


def _is_gone(context: Context, path: str, seconds: float) -> bool:
    """Wait until there is no such pod. Return whether that is so in time."""
    began_at = context.now()
    while (context.now() - began_at).total_seconds() < seconds:
        try:
            finished(context.kubectl.start_read(path))
        except NotFoundError:
            return True
        context.sleep(POLL_SECONDS)
    return False


def _report(options: argparse.Namespace, context: Context, target: _Target, result: PurgeResult) -> None:
    if options.output in ("json", "yaml"):
        content = {"job": target.job.full_name, "is_dry_run": options.dry_run, **result._asdict()}
        found = document("PurgeResult", content)
        context.write(formatted(options.output, found))
        return
    counts = result.found if options.dry_run else result.deleted
    if counts or not result.error:
        verb = "found" if options.dry_run else "deleted"
        context.write(f"{target.job.full_name}: {verb} {_text(counts)}")
    if result.error:
        context.warn(f"The deletion is not complete: {result.error}")
    elif target.has_pod and not options.dry_run and not options.delete_job:
        context.write(
            "The pod of the paused job writes its heartbeat again. To end that, delete the job, too:",
            f"  → {command_for(target.job, 'purge', '--delete-job')}",
        )


def _text(counts: dict[str, int]) -> str:
    """Return the counts in words, such as `4 quotes, 1 heartbeat`."""
    parts = [f"{count} {_NAMES.get(kind, (kind, kind))[count != 1]}" for kind, count in counts.items() if count]
    return ", ".join(parts) or "no documents"
