"""`kubectl sluice status`: the jobs as a table, or one job as a tree."""

from __future__ import annotations

import argparse
from typing import Any

from ..contract import resource
from ..model.fields import text
from ..model.fleet import StatusList
from ..views.documents import document, formatted
from ..views.table import TableOptions, is_shown, table_lines
from ..views.tree import tree_lines
from .cluster_requests import JOB, start_status_requests
from .context import DONE, NOT_REACHED, Context, UsageError
from .reading import ClusterView, read_cluster, read_pod
from .selection import Selection, selected_jobs, selection_of, unknown_names


def run_status(options: argparse.Namespace, context: Context) -> int:
    """Show the status once, or until the command is interrupted. Return the exit code."""
    selection = selection_of(options, [options.job] if options.job else [])
    if options.watch:
        if options.output not in ("", "wide"):
            raise UsageError("-w writes text: leave -o out, or write -o wide")
        from .watch import watch_status  # noqa: PLC0415  only a watch needs threads

        return watch_status(options, context, selection)
    view = read_cluster(context.requests or start_status_requests(options, context.kubectl))
    status = view.status(selection, context.now())
    if problems := unknown_names(view.documents, selection):
        context.warn(*problems)
        return NOT_REACHED
    context.write(*output_lines(options, context, view, selection, status))
    return NOT_REACHED if options.check and status.has_problem else DONE


def output_lines(
    options: argparse.Namespace, context: Context, view: ClusterView, selection: Selection, status: StatusList
) -> list[str]:
    """Return the lines of the output in the form that the options ask for."""
    table = TableOptions(options.output == "wide", options.paused, options.stale, selection.is_everywhere)
    if options.output in ("json", "yaml", "name"):
        shown = status._replace(jobs=tuple(each for each in status.jobs if is_shown(each, table)))
        return _formatted_lines(options.output, shown)
    if options.job and status.jobs:
        return _job_lines(context, view, selection, status, has_pod=not options.watch)
    return table_lines(status, context.terminal, table)


def _job_lines(
    context: Context, view: ClusterView, selection: Selection, status: StatusList, *, has_pod: bool
) -> list[str]:
    """Return the trees of the jobs. Without `has_pod`, the pods are not read."""
    lines = []
    documents = {_full_name(each): each for each in selected_jobs(view.documents, selection)}
    for job in status.jobs:
        pod, unseen = read_pod(context.kubectl, documents[job.full_name]) if has_pod else (None, ())
        lines += tree_lines(job, pod, (*status.unseen, *unseen), status.at, context.terminal)
    return lines


def _full_name(job: dict[str, Any]) -> str:
    return f"{text(job, 'metadata', 'namespace')}/{text(job, 'metadata', 'name')}"


def _formatted_lines(output: str, status: StatusList) -> list[str]:
    if output == "name":
        singular = resource(JOB).replace("jobs.", "job.", 1)
        return [f"{singular}/{each.name}" for each in status.jobs]
    found = status_document(status)
    return [formatted(output, found)]


def status_document(status: StatusList) -> dict[str, Any]:
    """Return the status as a document of the kind StatusList."""
    return document(
        "StatusList",
        {
            "at": status.at,
            "items": status.jobs,
            "counts": status.counts,
            "operator": status.operator,
            "not_visible": status.unseen,
        },
    )
