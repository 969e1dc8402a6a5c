"""`kubectl sluice restart`: deletes the pod of a job, and waits until its next pod streams."""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from typing import Any, NamedTuple

from ..contract import api_path, pod_path
from ..model.fields import text
from ..model.job import Gap, JobStatus, status_of_job
from ..model.restart_steps import RestartProgress, restart_progress
from ..text.instants import duration_text, short_instant
from ..transport import NotFoundError, RefusedError
from ..views.documents import document, formatted
from ..views.sentences import command_for, state_text
from .cluster_requests import JOB
from .context import DONE, NOT_REACHED, Context
from .one_job import OneJob, read_one_job
from .reading import finished

POLL_SECONDS = 0.2
# The gap is reported with the first report of a live stream, or with the next one.
_GAP_SECONDS = 3.0
_STEPS = (
    ("has_ended", "the old pod has ended"),
    ("has_new_pod", "the new pod reports"),
    ("is_live", "the stream is live"),
)


class Step(NamedTuple):
    """A step of the restart, and how many seconds after the request it was seen."""

    seconds: float
    what: str


class Restart(NamedTuple):
    """The result: the steps that were seen, the gap, and the job at the end."""

    steps: tuple[Step, ...]
    progress: RestartProgress
    job: JobStatus


def run_restart(options: argparse.Namespace, context: Context) -> int:
    """Restart the job. Return the exit code: 1 if it does not stream at the end."""
    found = read_one_job(options, context, has_pauses=True)
    if found is None:
        return NOT_REACHED
    context.warn(*(f"Not visible: {each.what} ({each.why})" for each in found.unseen))
    job = status_of_job(found.document, found.pauses, context.now())
    if refusal := _refusal(job, context.now()):
        context.warn(*refusal)
        return NOT_REACHED
    pod = _read_pod(context, job)
    if pod is None:
        context.warn(*_no_pod_lines(job))
        return NOT_REACHED
    if not options.output:
        context.write(f"{job.full_name}: restarting, the pod {text(pod, 'metadata', 'name')} ends its stream first")
    began_at = context.now()
    uid = text(pod, "metadata", "uid")
    if not _delete_pod(context, job, uid):
        context.warn(f"The pod of {job.full_name} was replaced just now, so nothing was deleted.")
        return NOT_REACHED
    restart = _wait(context, found, uid, began_at, options)
    if options.output:
        context.write(formatted(options.output, restart_document(restart)))
    elif options.timeout:
        context.write(*_result_lines(restart, context.now()))
    return DONE if restart.progress.is_live or not options.timeout else NOT_REACHED


def _refusal(job: JobStatus, now: datetime) -> list[str]:
    """Return why a paused job is not restarted, and who ends its pause; empty if it is not paused."""
    if job.pause is None and job.state.level != "paused":
        return []
    lines = [f"{job.full_name} is paused, so there is no stream to restart. End its pause instead:"]
    switches = job.pause.switches if job.pause is not None else ()
    for each in switches:
        who = f" Ask {each.by} first." if each.by else ""
        lines += [f"  {each.describe(now)}", f"    {each.ends}{who}"]
        lines += [f"    → {each.command}"] if each.command else []
    return lines if switches else [*lines, f"  → {command_for(job, 'resume')}"]


def _no_pod_lines(job: JobStatus) -> list[str]:
    lines = [f"{job.full_name} has no pod, so there is nothing to restart. {job.state.message}".rstrip()]
    if job.state.remedy:
        lines.append(f"  → {job.state.remedy}")
    return [*lines, f"  → {command_for(job, 'status')}"]


def _read_pod(context: Context, job: JobStatus) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(finished(context.kubectl.start_read(pod_path(job.namespace, job.name))))
    except NotFoundError:
        return None
    return found


def _delete_pod(context: Context, job: JobStatus, uid: str) -> bool:
    """Delete the pod with this UID, and let it end by itself. Return False if another one has taken its place."""
    body = json.dumps({"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}})
    try:
        context.kubectl.run("delete", "--raw", pod_path(job.namespace, job.name), "-f", "-", text=body)
    except NotFoundError:
        return False
    except RefusedError as error:
        if "recondition" in str(error):
            return False
        raise
    return True


def _wait(context: Context, found: OneJob, uid: str, began_at: datetime, options: argparse.Namespace) -> Restart:
    """Wait until the job streams again, and show each step once it is seen."""
    steps: list[Step] = []
    live_at: datetime | None = None
    while True:
        restart = _read_restart(context, found, uid, began_at)
        now = context.now()
        for field, what in _STEPS:
            if getattr(restart.progress, field) and what not in [each.what for each in steps]:
                steps.append(Step((now - began_at).total_seconds(), what))
                if not options.output:
                    context.write(f"  {steps[-1].seconds:5.1f} s  {what}")
        if restart.progress.is_live and live_at is None:
            live_at = now
        has_waited_for_gap = live_at is not None and (now - live_at).total_seconds() >= _GAP_SECONDS
        is_over = (now - began_at).total_seconds() >= options.timeout
        if restart.progress.is_settled or has_waited_for_gap or is_over:
            return restart._replace(steps=tuple(steps))
        context.sleep(POLL_SECONDS)


def _read_restart(context: Context, found: OneJob, uid: str, began_at: datetime) -> Restart:
    namespace, name = text(found.document, "metadata", "namespace"), text(found.document, "metadata", "name")
    listed = context.kubectl.start_read(f"{api_path(JOB, namespace)}?fieldSelector=metadata.name%3D{name}")
    items = json.loads(finished(listed)).get("items") or []
    stored = next((each for each in items if text(each, "metadata", "name") == name), found.document)
    job = status_of_job(stored, found.pauses, context.now())
    progress = restart_progress(stored, job, _read_pod(context, job), uid, began_at)
    return Restart((), progress, job)


def _result_lines(restart: Restart, now: datetime) -> list[str]:
    job = restart.job
    if restart.progress.is_live:
        return [f"● {job.full_name}: streaming · {_gap_text(restart.progress.gap, now)}"]
    lines = [f"▲ {job.full_name}: not streaming yet ({state_text(job, now)}): {job.state.message}".rstrip()]
    if job.state.remedy:
        lines.append(f"  → {job.state.remedy}")
    return [*lines, f"  → {command_for(job, 'status')}"]


def _gap_text(gap: Gap | None, now: datetime) -> str:
    if gap is None or gap.since is None or gap.until is None:
        return "the pod has reported no gap"
    seconds = (gap.until - gap.since).total_seconds()
    length = f"{seconds:.1f} s" if seconds < 10 else duration_text(seconds)
    return f"it cost a gap of {length}: {short_instant(gap.since, now)} → {short_instant(gap.until, now)}"


def restart_document(restart: Restart) -> dict[str, Any]:
    """Return the result as a document of the kind RestartResult."""
    content = {"steps": restart.steps, "gap": restart.progress.gap, "job": restart.job}
    return document("RestartResult", content)
