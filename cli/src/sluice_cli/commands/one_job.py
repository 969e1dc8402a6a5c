"""Reading of the one job that a command line names."""

from __future__ import annotations

import argparse
from typing import Any, NamedTuple

from ..model.fleet import Unseen, pause_view
from ..model.switches import PauseView
from .cluster_requests import CLUSTER_PAUSE, JOB, PAUSE
from .context import Context
from .reading import unseen_kinds
from .selection import Selection, selected_jobs, selection_of, unknown_names


class OneJob(NamedTuple):
    """A job, the pauses of its namespace and of the cluster, and what could not be read."""

    document: dict[str, Any]
    pauses: PauseView
    unseen: tuple[Unseen, ...]


def read_one_job(options: argparse.Namespace, context: Context, *, has_pauses: bool) -> OneJob | None:
    """Return the job that the options name. If it does not exist, say so and return None.

    Raises:
        UsageError: its name has another namespace than the options.
        TransportError: the jobs cannot be listed.
    """
    selection: Selection = selection_of(options, [options.job])
    kinds = (JOB, PAUSE, CLUSTER_PAUSE) if has_pauses else (JOB,)
    listing = context.kubectl.start_list(kinds, selection.scope).listing()
    if problems := unknown_names(listing.objects[JOB], selection):
        context.warn(*problems)
        return None
    [document] = selected_jobs(listing.objects[JOB], selection)
    return OneJob(document, pause_view(listing.objects, listing.unseen), tuple(unseen_kinds(listing)))
