"""`kubectl sluice resume`: deletes pauses, waits until the jobs stream, and names each switch that still holds."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NamedTuple

from ..model.fleet import pause_view
from ..model.job import JobStatus, key_of_job, status_of_job
from ..model.pauses import CLUSTER_PAUSE, PAUSE, JobKey, PauseObject, pause_of
from ..transport import NoAccessError, NotFoundError, NotServedError
from ..views.documents import document, formatted
from ..views.sentences import command_for, state_text
from .cluster_requests import JOB
from .context import DONE, NOT_REACHED, Context, UsageError
from .reading import unseen_kinds
from .selection import Selection, selected_jobs, selection_of, unknown_names

POLL_SECONDS = 0.2
_KINDS = (JOB, PAUSE, CLUSTER_PAUSE)


class Deletion(NamedTuple):
    """The pauses that were deleted, and those that cover more than what was named."""

    deleted: tuple[PauseObject, ...]
    wider: tuple[PauseObject, ...]


def run_resume(options: argparse.Namespace, context: Context) -> int:
    """Resume what the options say. Return the exit code."""
    selection = selection_of(options, options.jobs)
    _require_one_selection(options, selection)
    if options.pause:
        return _resume_by_pause(options, context, selection)
    listing = context.kubectl.start_list(_KINDS, selection.scope).listing()
    if problems := unknown_names(listing.objects[JOB], selection):
        context.warn(*problems)
    jobs = [key_of_job(each) for each in selected_jobs(listing.objects[JOB], selection)]
    if not jobs:
        context.warn("No job is selected, so nothing was resumed.")
        return NOT_REACHED
    context.warn(*(f"Not visible: {each.what} ({each.why})" for each in unseen_kinds(listing)))
    deletion = _delete_pauses(context, list(map(pause_of, listing.objects[PAUSE])), selection, jobs)
    is_streaming = _wait_and_report(options, context, jobs, deletion)
    return DONE if is_streaming and not problems else NOT_REACHED


def _require_one_selection(options: argparse.Namespace, selection: Selection) -> None:
    chosen = [bool(selection.names), selection.labels is not None, selection.is_all, bool(options.pause)]
    if sum(chosen) != 1:
        raise UsageError(
            "say what to resume with one of these: job names, -l SELECTOR, --all (of the namespace), --pause NAME"
        )
    if options.fleet and not options.pause:
        raise UsageError("name the ClusterIngestPause to delete: --fleet --pause NAME; see kubectl get cipause")
    if options.fleet and options.namespace:
        raise UsageError("a ClusterIngestPause has no namespace: leave -n out")


def _delete_pauses(
    context: Context, pauses: Sequence[PauseObject], selection: Selection, jobs: Sequence[JobKey]
) -> Deletion:
    """Delete the pauses of whole jobs that cover only what the command line names."""
    names = {each.name for each in jobs}
    concerned = [each for each in pauses if not each.symbols and any(each.covers(job) for job in jobs)]
    within = [each for each in concerned if _is_within(each, selection, names)]
    for pause in within:
        _delete(context, pause)
    return Deletion(tuple(within), tuple(each for each in concerned if each not in within))


def _is_within(pause: PauseObject, selection: Selection, names: set[str]) -> bool:
    """Return whether a pause of the namespace covers only what the command line names."""
    if selection.is_all:
        return True
    if pause.selector is not None:
        return selection.labels == pause.selector and not pause.jobs
    return pause.jobs is not None and set(pause.jobs) <= names


def _delete(context: Context, pause: PauseObject) -> None:
    try:
        context.kubectl.delete(pause.kind, pause.namespace, pause.name)
    except NotFoundError:
        return  # someone else has deleted it, which is what was asked for


def _resume_by_pause(options: argparse.Namespace, context: Context, selection: Selection) -> int:
    """Delete one pause by its name, and wait for the jobs that it covers."""
    kind = CLUSTER_PAUSE if options.fleet else PAUSE
    scope = ["-A"] if options.fleet else selection.scope
    pauses = map(pause_of, context.kubectl.start_list((kind,), scope).listing().objects[kind])
    pause = next((each for each in pauses if each.name == options.pause), None)
    if pause is None:
        context.warn(f"There is no {kind} {options.pause}{'' if options.fleet else ' in this namespace'}.")
        return NOT_REACHED
    try:
        listing = context.kubectl.start_list((JOB,), scope).listing()
    except (NoAccessError, NotServedError):
        listing = None
    _delete(context, pause)
    if listing is None:
        context.write(
            f"deleted {pause.source.replace(':', '/')}", "Not visible: the jobs (you may not list ingestjobs)"
        )
        return NOT_REACHED
    jobs = [key for key in map(key_of_job, listing.objects[JOB]) if pause.covers(key)]
    return DONE if _wait_and_report(options, context, jobs, Deletion((pause,), ())) else NOT_REACHED


def _wait_and_report(options: argparse.Namespace, context: Context, jobs: Sequence[JobKey], deletion: Deletion) -> bool:
    """Wait until the jobs stream or another switch holds each of them. Return whether all of them stream."""
    if not options.output:
        context.write(*(f"deleted {each.source.replace(':', '/')}" for each in deletion.deleted))
    statuses = _wait(context, jobs, deletion, options.timeout)
    if options.output in ("json", "yaml"):
        content = {"deleted": [each.source for each in deletion.deleted], "items": statuses}
        found = document("ResumeResult", content)
        context.write(formatted(options.output, found))
    elif options.output == "name":
        context.write(*(f"{each.kind.lower()}.sluice.dev/{each.name}" for each in deletion.deleted))
    else:
        for each in statuses:
            context.write(*_job_lines(each, deletion, context))
    return all(each.is_streaming for each in statuses)


def _wait(context: Context, jobs: Sequence[JobKey], deletion: Deletion, seconds: float) -> list[JobStatus]:
    began_at = context.now()
    while True:
        statuses = _read_statuses(context, jobs, deletion)
        is_settled = all(each.is_streaming or _is_held(each) for each in statuses)
        if is_settled or (context.now() - began_at).total_seconds() >= seconds:
            return statuses
        context.sleep(POLL_SECONDS)


def _is_held(job: JobStatus) -> bool:
    return job.pause is not None and bool(job.pause.switches)


def _read_statuses(context: Context, jobs: Sequence[JobKey], deletion: Deletion) -> list[JobStatus]:
    """Return the newest status of the jobs, without the switches that were deleted just now."""
    namespaces = {each.namespace for each in jobs}
    scope = ["-n", next(iter(namespaces))] if len(namespaces) == 1 else ["-A"]
    listing = context.kubectl.start_list(_KINDS, scope).listing()
    view, now = pause_view(listing.objects, listing.unseen), context.now()
    wanted = {(each.namespace, each.name) for each in jobs}
    found = (status_of_job(each, view, now) for each in listing.objects[JOB])
    statuses = [each for each in found if (each.namespace, each.name) in wanted]
    gone = {each.source for each in deletion.deleted}
    return [_without_switches(each, gone) for each in statuses]


def _without_switches(job: JobStatus, gone: set[str]) -> JobStatus:
    if job.pause is None:
        return job
    kept = tuple(each for each in job.pause.switches if each.source not in gone)
    return job._replace(pause=job.pause._replace(switches=kept))


def _job_lines(job: JobStatus, deletion: Deletion, context: Context) -> list[str]:
    now = context.now()
    if job.is_streaming:
        lines = [f"● {job.full_name}: streaming"]
    elif _is_held(job):
        lines = [f"‖ {job.full_name}: still paused by"]
    else:
        lines = [f"▲ {job.full_name}: not streaming yet ({state_text(job, now)}): {job.state.message}"]
        lines.append(f"  → {command_for(job, 'status')}")
    for each in job.pause.switches if job.pause is not None else ():
        wider = next((pause for pause in deletion.wider if pause.source == each.source), None)
        note = "; it covers more than what you named" if wider is not None else ""
        lines += [f"  {each.describe(now)}{note}", f"    {each.ends}"]
        lines += [f"    → {each.command}"] if each.command else []
    for paused in job.symbols.pauses:
        lines.append(f"  symbols {', '.join(paused.symbols)} stay paused by {paused.switch.describe(now)}")
        lines.append(f"    → {paused.switch.command or paused.switch.ends}")
    return lines
