"""`kubectl sluice history`: what happened to jobs, in one timeline."""

from __future__ import annotations

import argparse
import json
from typing import Any

from ..model.fleet import Unseen, pause_view
from ..model.history import History, HistorySources, history_of
from ..transport import NoAccessError, Request, TransportError
from ..views.documents import document, formatted, plain_fields
from ..views.history_lines import history_lines
from .cluster_requests import CLUSTER_PAUSE, JOB, PAUSE
from .context import DONE, NOT_REACHED, Context
from .reading import finished, unseen_kinds
from .selection import Selection, selected_jobs, selection_of, unknown_names


def run_history(options: argparse.Namespace, context: Context) -> int:
    """Show the history. Return the exit code."""
    selection = selection_of(options, [options.job] if options.job else [])
    sources = read_history(context, selection)
    if problems := unknown_names(sources.jobs, selection):
        context.warn(*problems)
        return NOT_REACHED
    now = context.now()
    wanted = sources._replace(jobs=selected_jobs(sources.jobs, selection))
    since = now - options.since if options.since is not None else None
    history = history_of(wanted, now).selected(since, only_gaps=options.gaps)
    if options.output:
        found = history_document(history)
        context.write(formatted(options.output, found))
    elif not wanted.jobs:
        context.write("No job. Add -A for all namespaces, or -n NAMESPACE for another one.")
    else:
        context.write(*history_lines(history, context.terminal, has_names=not options.job, only_gaps=options.gaps))
    return DONE


def read_history(context: Context, selection: Selection) -> HistorySources:
    """Read everything that a history is built from. Raises TransportError if the jobs cannot be read."""
    listing = context.kubectl.start_list((JOB, PAUSE, CLUSTER_PAUSE), selection.scope)
    pods = context.kubectl.start("get", "pods", "-o", "json", *selection.scope)
    events = context.kubectl.start("get", "events", "-o", "json", *selection.scope)
    try:
        found = listing.listing()
    except TransportError:
        pods.discard()
        events.discard()
        raise
    unseen = unseen_kinds(found)
    return HistorySources(
        jobs=found.objects[JOB],
        pauses=pause_view(found.objects, found.unseen),
        pods=_items(pods, Unseen("the pods", "you may not list pods"), unseen),
        events=_items(events, Unseen("Kubernetes Events", "you may not list events"), unseen),
        unseen=tuple(unseen),
    )


def _items(request: Request, without_access: Unseen, unseen: list[Unseen]) -> list[dict[str, Any]]:
    """Return the listed objects; none if they cannot be read, which is added to `unseen`."""
    try:
        found: list[dict[str, Any]] = json.loads(finished(request)).get("items") or []
    except NoAccessError:
        unseen.append(without_access)
        return []
    except TransportError as error:
        unseen.append(Unseen(without_access.what, str(error)))
        return []
    return found


def history_document(history: History) -> dict[str, Any]:
    """Return the history as a document of the kind HistoryList. A gap has `seconds` once it has ended."""
    items = [plain_fields({**each._asdict(), "seconds": each.seconds}) for each in history.entries]
    content = {"at": history.at, "items": items, "not_visible": history.unseen, "not_kept": history.not_kept}
    return document("HistoryList", content)
