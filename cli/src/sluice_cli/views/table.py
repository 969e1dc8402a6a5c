"""The table of jobs, the worst first, and the last line with what to type next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from ..model.fleet import StatusList, summary_text
from ..model.job import JobStatus
from ..model.state import PROBLEMS
from ..text.instants import age_text
from ..text.layout import GAP, column_widths, indented, total_width
from ..text.printable import display_width, pad, shorten
from ..text.terminal import Terminal
from .glyphs import COLORS, GLYPHS
from .sentences import command_for, detail_text, named_symbols, state_text

_HEADINGS = ("", "JOB", "FEED", "STATE", "LIVE", "QUOTE", "BEAT")
_WIDE = ("TENANT", "POD", "EPOCH", "GENERATION")
_FEED = 2
_LEAST_DETAIL = 24
_LONGEST_NAME = 44
_OTHER_NAMESPACES = "Add -A for all namespaces, or -n NAMESPACE for another one."


class TableOptions(NamedTuple):
    """Which jobs the table has, and how much of each."""

    is_wide: bool = False
    only_paused: bool = False
    only_stale: bool = False
    is_everywhere: bool = False


def table_lines(status: StatusList, terminal: Terminal, options: TableOptions) -> list[str]:
    """Return the lines of the table, its summary, what could not be seen, and what to type next."""
    shown = [each for each in status.jobs if is_shown(each, options)]
    lines = _job_lines(shown, status.at, terminal, options) if shown else []
    return [*lines, *_footer(status, shown, terminal, options)]


def is_shown(job: JobStatus, options: TableOptions) -> bool:
    """Return whether the options select a job."""
    is_paused = job.pause is not None or job.state.level == "paused" or bool(job.symbols.pauses)
    is_stale = bool(job.symbols.freshness.get("stale")) or job.state.word == "Silent"
    return (is_paused or not options.only_paused) and (is_stale or not options.only_stale)


def _job_lines(jobs: Sequence[JobStatus], now: datetime, terminal: Terminal, options: TableOptions) -> list[str]:
    rows = [[*_HEADINGS, *(_WIDE if options.is_wide else ())], *(_cells(each, now, options) for each in jobs)]
    details = [detail_text(each, now) for each in jobs]
    if _room(rows, terminal) < _LEAST_DETAIL and not options.is_wide:
        rows = [[*cells[:_FEED], *cells[_FEED + 1 :]] for cells in rows]
    widths, room = column_widths(rows), _room(rows, terminal)
    fits = [options.is_wide or display_width(each) <= room for each in details]
    lines = [terminal.paint(_row_text(rows[0], widths, "DETAIL" if any(fits) else ""), "bold")]
    for job, cells, detail, is_beside in zip(jobs, rows[1:], details, fits):
        painted = [pad(each, width) for each, width in zip(cells, widths)]
        for column in (0, rows[0].index("STATE")):
            painted[column] = terminal.paint(painted[column], COLORS[job.state.level])
        lines.append((" " * GAP).join([*painted, detail if is_beside else ""]).rstrip())
        lines += _lines_below(job, "" if is_beside else detail, terminal, now, options)
    return lines


def _room(rows: Sequence[Sequence[str]], terminal: Terminal) -> int:
    """Return how many columns are left beside the rows."""
    return terminal.width - total_width(column_widths(rows)) - GAP


def _row_text(cells: Sequence[str], widths: Sequence[int], last: str) -> str:
    return (" " * GAP).join([*(pad(each, width) for each, width in zip(cells, widths)), last]).rstrip()


def _cells(job: JobStatus, now: datetime, options: TableOptions) -> list[str]:
    more = [job.tenant, job.pod_name or "-", str(job.epoch or "-"), str(job.generation or "-")]
    return [
        GLYPHS[job.state.level],
        shorten(job.full_name, _LONGEST_NAME, "…"),
        job.feed,
        state_text(job, now),
        job.symbols.live or f"-/{job.symbols.declared}",
        age_text(job.last_quote_at, now) or "-",
        age_text(job.heartbeat_at, now) or "-",
        *(more if options.is_wide else ()),
    ]


def _lines_below(job: JobStatus, detail: str, terminal: Terminal, now: datetime, options: TableOptions) -> list[str]:
    """Return the lines below a row: the detail that has no room beside it, what to do, and what the options ask for."""
    indent = " " * (1 + GAP)
    lines = indented(detail, terminal.width, indent) if detail else []
    if job.state.level in PROBLEMS and job.state.remedy:
        lines += indented(job.state.remedy, terminal.width, indent + "  ", indent + "→ ")
    if options.only_stale and job.symbols.stale:
        names = named_symbols(job.symbols.stale, job.symbols.freshness.get("stale", 0))
        lines += indented(f"stale: {names}", terminal.width, indent)
    if options.only_paused:
        lines += _switch_lines(job, now, terminal, indent)
    return lines


def _switch_lines(job: JobStatus, now: datetime, terminal: Terminal, indent: str) -> list[str]:
    lines = []
    for each in job.pause.switches if job.pause is not None else ():
        lines += indented(each.describe(now), terminal.width, indent)
        lines.append(f"{indent}  → {each.command or each.ends}")
    for paused in job.symbols.pauses:
        lines += indented(f"{', '.join(paused.symbols)}: {paused.switch.describe(now)}", terminal.width, indent)
        lines.append(f"{indent}  → {paused.switch.command or paused.switch.ends}")
    return lines


def _footer(status: StatusList, shown: Sequence[JobStatus], terminal: Terminal, options: TableOptions) -> list[str]:
    if not status.jobs:
        hint = "Create one with kubectl apply -f FILE." if options.is_everywhere else _OTHER_NAMESPACES
        return [f"No job. {hint}"]
    lines = [_summary_line(status, terminal)]
    if not shown:
        lines.insert(0, "No job is paused." if options.only_paused else "No symbol is stale, and each pod reports.")
    if status.clock_lag_seconds:
        lines.append(f"This machine's clock is {status.clock_lag_seconds:.0f} s behind: ages are too small.")
    lines += [f"Not visible: {each.what} ({each.why})" for each in status.unseen]
    return [*lines, f"Next: {_next_command(shown or status.jobs)}"]


def _summary_line(status: StatusList, terminal: Terminal) -> str:
    left, right = summary_text(status.counts), operator_text(status)
    space = terminal.width - display_width(left) - display_width(right)
    return f"{left}\n{right}" if right and space < GAP else (left + " " * max(space, 0) + right).rstrip()


def operator_text(status: StatusList) -> str:
    """Return who leads; empty if it could not be seen."""
    operator = status.operator
    if operator is None:
        return ""
    if operator.is_leading:
        return f"operator {operator.version} leads ({operator.holder})".replace("  ", " ")
    since = age_text(operator.renewed_at, status.at)
    return f"no operator leads{f', for {since}' if since else ''}: kubectl get pods -n sluice-system"


def _next_command(jobs: Sequence[JobStatus]) -> str:
    worst = jobs[0]
    if worst.state.level == "paused":
        return command_for(worst, "resume")
    return command_for(worst, "status")
