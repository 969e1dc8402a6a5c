"""Findings about other jobs that write the same documents or use the same connection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..fields import flag
from .connections import slot_holder
from .document_claims import BARS, HEARTBEAT, QUOTES, Conflict, PlannedJob, conflicts_of
from .findings import Finding

_SHOWN = 3
_REMEDIES = {
    HEARTBEAT: "Give this job its own heartbeat document in spec.heartbeat.document.",
    QUOTES: "Let only one of the two jobs list each symbol, or set another spec.firestore.liveQuotesCollection in this "
    "job.",
    BARS: "Remove bars from spec.channels of one of the two jobs.",
}


def conflict_findings(job: PlannedJob, jobs: Iterable[PlannedJob]) -> list[Finding]:
    """Return a finding for each of the first jobs with which this one shares documents."""
    found = conflicts_of(job, jobs)
    shown = [_conflict_finding(each) for each in found[:_SHOWN]]
    more = len(found) - len(shown)
    if more > 0:
        shown[-1] = shown[-1]._replace(message=f"{shown[-1].message[:-1]}; and {more} more of these.")
    return shown


def _conflict_finding(conflict: Conflict) -> Finding:
    what = _documents_text(conflict)
    if conflict.is_by_default_project:
        message = (
            f"{conflict.other} writes {what} too, if the project that only one of the two jobs names is the operator's "
            "default: the newer job would then be Stalled (DocumentConflict)."
        )
        return Finding("warning", "conflict", message, "Name the project in spec.firestore.projectID of both jobs.")
    if conflict.is_other_older:
        message = f"{conflict.other} already writes {what}: this job would be Stalled (DocumentConflict)."
        return Finding("problem", "conflict", message, _REMEDIES[conflict.kind])
    message = f"{conflict.other} writes {what} too, and is newer: it would be Stalled (DocumentConflict)."
    return Finding("warning", "conflict", message, _REMEDIES[conflict.kind])


def _documents_text(conflict: Conflict) -> str:
    if conflict.kind == HEARTBEAT:
        return f"the heartbeat document {conflict.collection}"
    more = len(conflict.symbols) - _SHOWN
    symbols = ", ".join(conflict.symbols[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
    return f"{symbols} to {conflict.collection}" if conflict.kind == QUOTES else f"the bars of {symbols}"


def slot_findings(job: PlannedJob, jobs: Sequence[PlannedJob]) -> list[Finding]:
    """Return a warning if another job of the namespace uses the only connection of this job's key or client ID."""
    other, how = slot_holder(job, jobs)
    has_it = bool(flag(job.document, "status", "stream", "slot", "acquired"))
    if not other or (has_it and how == "uses"):
        return []
    remedy = "Pause or delete that job, or give this job credentials or a client ID of its own."
    if how == "holds":
        message = f"{other} holds the one connection that the provider allows: this job would wait for it (HeldBy)."
    else:
        message = f"{other} uses the same connection, and the provider allows one: one of them would wait (HeldBy)."
    return [Finding("warning", "slot", message, remedy)]
