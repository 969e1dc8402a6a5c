"""`kubectl sluice pause`: creates a pause object, and waits until each job has acknowledged it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ..contract import resource
from ..model.fields import text
from ..model.job import key_of_job
from ..model.pauses import pause_of
from ..text.instants import instant_text
from ..transport import FIELD_MANAGER, Kubectl, NotServedError, Request, TransportError
from .acknowledgement import Outcome, Wanted, wait_for_acknowledgement
from .cluster_requests import JOB
from .context import DONE, NOT_REACHED, Context
from .pause_lines import clock_sentence, end_line, formatted_result, head_line, outcome_lines
from .pause_request import PauseRequest, pause_request
from .selection import selected_jobs, selection_of, unknown_names

_REVIEW_PATH = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
_AUTHOR_SECONDS = 0.5  # after the jobs were listed: a stop does not wait for its signature
_REVIEW = json.dumps({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"})


def run_pause(options: argparse.Namespace, context: Context) -> int:
    """Pause what the options say. Return the exit code."""
    selection = selection_of(options, options.jobs)
    asked = pause_request(options, selection._replace(is_everywhere=options.fleet), context.now())
    author = _start_author_review(context.kubectl)
    jobs = _read_jobs(context, asked)
    problems = _problems(asked, jobs)
    request = asked if jobs is None else _without_unknown(asked, jobs)
    if request is None or not _is_confirmed(context, request, jobs):
        author.discard()
        context.warn(*problems, "Nothing was paused.")
        return NOT_REACHED
    if problems:
        context.warn(*problems)
    began_at = context.now()
    wanted = _request_pause(context, request, _author(author), jobs)
    outcome = _wait_and_show(options, context, request, wanted, began_at)
    is_done = outcome.is_complete or not options.timeout
    return DONE if is_done and not problems else NOT_REACHED


def _request_pause(context: Context, request: PauseRequest, author: str, jobs: list[dict[str, Any]] | None) -> Wanted:
    """Create the pause. On a cluster that does not serve pauses, set `spec.pause` of the named jobs."""
    try:
        return _create_pause(context, request, author, jobs)
    except NotServedError as error:
        if not request.selection.names or request.symbols:
            raise
        context.warn(f"{error} Setting spec.pause of the jobs instead, with the field manager {FIELD_MANAGER}.")
        return _set_spec_pause(context, request, jobs)


def _read_jobs(context: Context, request: PauseRequest) -> list[dict[str, Any]] | None:
    """Return the jobs of the namespaces; None if they cannot be read, which must not prevent a stop."""
    try:
        return context.kubectl.start_list((JOB,), request.selection.scope).listing().objects[JOB]
    except NotServedError:
        raise
    except TransportError as error:
        context.warn(f"The jobs cannot be listed, so their names are not checked: {error}")
        return None


def _problems(request: PauseRequest, jobs: list[dict[str, Any]] | None) -> list[str]:
    """Return sentences about what the command line names and no job has."""
    if jobs is None:
        return []
    problems = unknown_names(jobs, request.selection)
    concerned = _covered(request, jobs)
    if not concerned and not problems:
        problems.append(
            "No job is selected: compare the labels, the providers and the namespace with those of the jobs."
        )
    symbols = {each for job in concerned for each in key_of_job(job).symbols}
    missing = [each for each in request.symbols if each not in symbols]
    if concerned and missing:
        problems.append(f"None of these jobs has {', '.join(missing)}.")
    return problems


def _covered(request: PauseRequest, jobs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the jobs that the request selects, whatever their symbols."""
    pause = pause_of(request._replace(symbols=()).document(""))
    keys = [(each, key_of_job(each)) for each in selected_jobs(jobs, request.selection)]
    return [job for job, key in keys if pause._replace(namespace=key.namespace).covers(key)]


def _without_unknown(request: PauseRequest, jobs: Sequence[dict[str, Any]]) -> PauseRequest | None:
    """Return the request without names and symbols that no job has; None if nothing is left."""
    concerned = _covered(request, jobs)
    symbols = {each for job in concerned for each in key_of_job(job).symbols}
    known = tuple(each for each in request.symbols if each in symbols)
    if not concerned or (request.symbols and not known):
        return None
    names = {text(each, "metadata", "name") for each in concerned}
    return request.replaced_names([each for each in request.selection.names if each in names])._replace(symbols=known)


def _is_confirmed(context: Context, request: PauseRequest, jobs: list[dict[str, Any]] | None) -> bool:
    """Ask the user to type the number of feeds before the fleet is paused. Return whether the number is right."""
    if not request.is_fleet:
        return True
    concerned = _covered(request, jobs) if jobs is not None else []
    namespaces = {text(each, "metadata", "namespace") for each in concerned}
    expected = str(len(concerned)) if jobs is not None else "all"
    counts = f"{_counted(len(concerned), 'feed')} in {_counted(len(namespaces), 'namespace')}"
    number = counts if jobs is not None else "all feeds"
    context.errors.write(f"This pauses {number}. Type {expected} to continue: ")
    context.errors.flush()
    typed = context.input.readline().strip()
    if typed != expected:
        context.warn(f"{typed or 'Nothing'} was typed, not {expected}.")
    return typed == expected


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _start_author_review(kubectl: Kubectl) -> Request:
    return kubectl.start("create", "--raw", _REVIEW_PATH, "-f", "-", "--request-timeout=2s", text=_REVIEW)


def _author(request: Request) -> str:
    """Return the own user name, as the API server sees it; empty if it cannot be found, which prevents nothing."""
    result = request.result_within(_AUTHOR_SECONDS)
    try:
        return text(json.loads(result.output), "status", "userInfo", "username") if result.status == 0 else ""
    except ValueError:
        return ""


def _create_pause(context: Context, request: PauseRequest, author: str, jobs: list[dict[str, Any]] | None) -> Wanted:
    namespace = "" if request.is_fleet else _namespace(context, request, jobs)
    stored = context.kubectl.create(request.kind, namespace, request.document(author))
    pause = pause_of(stored)

    def concerns(job: dict[str, Any]) -> bool:
        return pause.covers(key_of_job(job))

    scope = ["-A"] if request.is_fleet else ["-n", namespace]
    return Wanted(pause.source, scope, pause, concerns)


def _namespace(context: Context, request: PauseRequest, jobs: list[dict[str, Any]] | None) -> str:
    first = jobs[0] if jobs else {}
    return request.selection.namespace or text(first, "metadata", "namespace") or context.kubectl.current_namespace()


def _set_spec_pause(context: Context, request: PauseRequest, jobs: list[dict[str, Any]] | None) -> Wanted:
    """Pause named jobs by their own field, on a cluster that does not serve IngestPause."""
    end = {"until": instant_text(request.until)} if request.until else {}
    patch = json.dumps({"spec": {"pause": {"reason": request.reason, **end}}})
    namespace, names = _namespace(context, request, jobs), request.selection.names
    for name in names:
        options = ("--type=merge", f"--field-manager={FIELD_MANAGER}", "-p", patch)
        context.kubectl.run("patch", resource(JOB), name, "-n", namespace, *options)
    return Wanted("spec.pause", ["-n", namespace], None, lambda job: text(job, "metadata", "name") in names)


def _wait_and_show(
    options: argparse.Namespace, context: Context, request: PauseRequest, wanted: Wanted, began_at: datetime
) -> Outcome:
    """Say what is being paused, wait for the acknowledgement, and show its steps."""
    is_text = not options.output
    if is_text:
        context.write(head_line(request, wanted, context.now()))
        if lag := clock_sentence(wanted.pause, context.now()):
            context.warn(lag)
    outcome = Outcome((), is_complete=False)
    if options.timeout:
        outcome = wait_for_acknowledgement(context, wanted, options.timeout)
    if is_text:
        times = (began_at, context.now())
        steps = outcome_lines(outcome, request, wanted, times) if options.timeout else []
        context.write(*steps, end_line(request, wanted))
    else:
        context.write(*formatted_result(options.output, request, wanted, outcome))
    return outcome
