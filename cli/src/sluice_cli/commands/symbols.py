"""`kubectl sluice symbols`: the state of each symbol of a job, by its pod, or else by its status."""

from __future__ import annotations

import argparse

from ..model.fleet import Unseen
from ..model.job import status_of_job
from ..model.symbol_list import SymbolList, symbols_of_pod, symbols_of_status
from ..views.documents import document, formatted
from ..views.symbol_table import symbol_lines
from .context import DONE, NOT_REACHED, Context
from .one_job import OneJob, read_one_job
from .pod_http import PodUnreachableError, get_json_of_pod

_PATH = "/runtime/ingest/symbols"


def run_symbols(options: argparse.Namespace, context: Context) -> int:
    """Show the symbols. Return the exit code."""
    job = read_one_job(options, context, has_pauses=False)
    if job is None:
        return NOT_REACHED
    symbols = _read_symbols(context, job)
    if options.stale:
        symbols = symbols.stale_only()
    if options.output:
        found = document("SymbolList", symbols._asdict())
        context.write(formatted(options.output, found))
    else:
        context.write(*symbol_lines(symbols, context.terminal, only_stale=options.stale))
    return DONE


def _read_symbols(context: Context, job: OneJob) -> SymbolList:
    try:
        reports = get_json_of_pod(context.kubectl, job.document, _PATH)
    except PodUnreachableError as error:
        now = context.now()
        unseen = (Unseen("quotes and paces", str(error)), *job.unseen)
        return symbols_of_status(job.document, status_of_job(job.document, job.pauses, now), unseen, now)
    now = context.now()
    return symbols_of_pod(
        reports if isinstance(reports, list) else [], status_of_job(job.document, job.pauses, now), now
    )
