"""What `doctor` finds in one job: its state, its symbols, its clock and its budget."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ..contract import contract
from ..text.instants import age_text
from .fields import items, number
from .findings import NOTE, PROBLEM, WARNING, Finding
from .job import JobStatus, Symbols

# A clock that is wrong by more makes readers refuse the quotes.
CLOCK_SECONDS = 5.0
# The share of the daily write budget above which the budget is near its end.
BUDGET_SHARE = 0.8
# A job that is on its way for longer needs a look.
WAITING_SECONDS = 60.0

_SEVERITY_OF_LEVEL = {"needsAction": PROBLEM, "degraded": PROBLEM}
_BOOLEAN_WORDS = {"TRUE": "ON, YES, Y and TRUE", "FALSE": "NO, OFF, N and FALSE"}
_CLOCK_REMEDY = "Synchronize the clock of the pod's node (NTP)."


def job_findings(document: dict[str, Any], status: JobStatus, now: datetime) -> Iterator[Finding]:
    """Yield what is wrong with a job, or limits it. `status` is that of `document`."""
    yield from _state_findings(status, now)
    yield from _boolean_findings(document, status)
    yield from _clock_findings(document, status)
    yield from _budget_findings(status)


def _state_findings(status: JobStatus, now: datetime) -> Iterator[Finding]:
    state, about = status.state, status.full_name
    command = f"kubectl sluice status {shlex.quote(status.name)} -n {shlex.quote(status.namespace)}"
    if state.level in ("needsAction", "degraded", "waiting"):
        severity = _SEVERITY_OF_LEVEL.get(state.level, _waiting_severity(state.since, now))
        since = f" for {age_text(state.since, now)}" if state.since else ""
        words = f"{state.word} {state.reason}".strip()
        remedy = state.remedy or "Look at the job and its pod."
        yield Finding(severity, "job", about, f"{words}{since}: {state.message}", remedy, command)
    for problem in status.problems:
        if problem.message == state.message and state.level in ("needsAction", "degraded", "waiting"):
            continue
        if problem.message.endswith(" rejected"):
            yield Finding(WARNING, "symbols", about, _rejection_sentence(status.symbols), problem.remedy, command)
        else:
            yield Finding(WARNING, "job", about, f"{problem.what}: {problem.message}", problem.remedy, command)


def _waiting_severity(since: datetime | None, now: datetime) -> str:
    return WARNING if since is not None and (now - since).total_seconds() > WAITING_SECONDS else NOTE


def _rejection_sentence(symbols: Symbols) -> str:
    """Return how many symbols are rejected, with the first five and why."""
    named = (f"{each.symbol} ({f'{each.code} ' if each.code else ''}{each.message})" for each in symbols.rejected[:5])
    more = symbols.rejected_count - len(symbols.rejected[:5])
    rest = f" and {more} more" if more > 0 and symbols.rejected else ""
    return f"the provider rejects {symbols.rejected_count} symbols: {', '.join(named)}{rest}".rstrip(": ")


def _boolean_findings(document: dict[str, Any], status: JobStatus) -> Iterator[Finding]:
    """Yield a finding for symbols that YAML has read as booleans, and that a tool may have made texts again."""
    symbols = items(document, "spec", "symbols")
    found = {str(each).upper() for each in symbols if isinstance(each, bool) or each in _BOOLEAN_WORDS}
    for word in sorted(found):
        words = _BOOLEAN_WORDS[word]
        example = f'in quotation marks, such as "{words.partition(",")[0]}", and apply the document again.'
        if word in symbols:
            message = f"spec.symbols has {word}, which YAML makes of {words} without quotation marks"
            remedy = f"If another symbol was meant, write it {example}"
            yield Finding(WARNING, "symbols", status.full_name, message, remedy)
        else:
            message = f"spec.symbols has the boolean {word.lower()}: YAML reads {words} without quotation marks so"
            yield Finding(PROBLEM, "symbols", status.full_name, message, f"Write the symbol {example}")


def _clock_findings(document: dict[str, Any], status: JobStatus) -> Iterator[Finding]:
    skew = number(document, "status", "stream", "clockSkewMilliseconds")
    if skew is not None and abs(skew) > CLOCK_SECONDS * 1000:
        direction = "ahead of" if skew > 0 else "behind"
        message = f"the clock of the pod's node is {abs(skew) / 1000:.1f} s {direction} that of the provider"
        yield Finding(WARNING, "clock", status.full_name, message, _CLOCK_REMEDY)


def _budget_findings(status: JobStatus) -> Iterator[Finding]:
    used, limit = status.sink.writes_used, status.sink.writes_limit
    if used is None or not limit or used < BUDGET_SHARE * limit:
        return
    message = f"{used} of {limit} writes of this day are used"
    remedy = "Raise limits.writesPerDay or remove symbols; otherwise the writes slow down, and then the job pauses."
    yield Finding(WARNING, "budget", status.full_name, message, remedy, _edit_command(status))


def _edit_command(status: JobStatus) -> str:
    resource = contract()["kinds"]["IngestJob"]
    return f"kubectl edit {resource} {shlex.quote(status.name)} -n {shlex.quote(status.namespace)}"
