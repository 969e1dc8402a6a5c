"""Plans as text: the changes of each document, its writes and reads, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence

from ..model.plan.findings import Finding
from ..model.plan.plan import CHANGE, CREATE, Plan
from ..model.plan.spec_changes import COLD, HOT, NO_POD, Change, value_text
from ..model.plan.write_costs import Operations, Traffic
from ..text.instants import duration_text
from ..text.layout import column_widths, indented
from ..text.printable import display_width, pad, shorten
from ..text.terminal import Terminal

_INDENT = "  "
_NAMES_SHOWN = 5
_LONGEST_VALUE = 40
_SIGNS = {"problem": ("✗", "red"), "warning": ("▲", "yellow"), "note": ("·", "dim")}
_HEADS = {CREATE: "new job: a pod is created", CHANGE: "changed", "unchanged": "unchanged"}


def plan_lines(plan: Plan, terminal: Terminal) -> list[str]:
    """Return the lines of one plan."""
    lines = [terminal.paint(plan.full_name, "bold") + f"   {_HEADS[plan.action]}"]
    lines += _change_lines(plan, terminal)
    if not plan.is_refused:
        lines += indented(writes_text(plan.traffic), terminal.width, _INDENT + " " * 8, _INDENT + "writes  ")
        lines += indented(reads_text(plan.traffic), terminal.width, _INDENT + " " * 8, _INDENT + "reads   ")
    for each, following in zip(plan.findings, (*plan.findings[1:], None)):
        has_same_remedy = following is not None and (following.topic, following.remedy) == (each.topic, each.remedy)
        lines += _finding_lines(each._replace(remedy="") if has_same_remedy else each, terminal)
    return lines


def _change_lines(plan: Plan, terminal: Terminal) -> list[str]:
    rows = [[_change_sign(each), each.path, _change_text(each), _effect_text(each, plan)] for each in plan.changes]
    if not rows:
        return []
    widths = column_widths(rows)
    has_room = len(_INDENT) + widths[0] + 1 + widths[1] + 2 + widths[2] + 2 + widths[3] <= terminal.width
    lines = []
    for change, (sign, path, values, effect) in zip(plan.changes, rows):
        painted = terminal.paint(effect, "red" if change.effect == COLD else "green" if change.effect == HOT else "")
        start = f"{_INDENT}{sign} {pad(path, widths[1])}  "
        if has_room:
            lines.append(f"{start}{pad(values, widths[2])}  {painted}")
        elif display_width(start + values) <= terminal.width:
            lines += [start + values, f"{_INDENT}    {painted}"]
        else:
            lines += [f"{_INDENT}{sign} {path}", *indented(values, terminal.width, _INDENT + "    ")]
            lines.append(f"{_INDENT}    {painted}")
    return lines


def _change_sign(change: Change) -> str:
    return "+" if change.before is None else "-" if change.after is None else "~"


def _change_text(change: Change) -> str:
    if change.added or change.removed:
        names = [f"+{each}" for each in change.added] + [f"-{each}" for each in change.removed]
        more = len(names) - _NAMES_SHOWN
        listed = " ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
        return f"{len(change.before or ())} → {len(change.after or ())} ({listed})"
    before, after = (shorten(value_text(each), _LONGEST_VALUE, "…") for each in (change.before, change.after))
    if change.before is None:
        return after
    return f"{before} (removed)" if change.after is None else f"{before} → {after}"


def _effect_text(change: Change, plan: Plan) -> str:
    if change.effect == HOT:
        return "hot: same connection, no gap"
    if change.effect == COLD:
        return f"COLD: the pod is replaced, {_gap_text(plan)}"
    return "label: only what selects by it" if change.effect == NO_POD else "unknown to this plugin: it may be cold"


def _gap_text(plan: Plan) -> str:
    if not plan.has_gap:
        return "no gap: it does not stream now"
    return "a gap of some seconds" if plan.gap_seconds is None else f"a gap of about {plan.gap_seconds} s"


def writes_text(traffic: Traffic) -> str:
    """Return the most writes of a job, such as `at most 20/s, each symbol every 1.6 s · 470,000 a session`."""
    if traffic.is_dry_run:
        pace = "dry run: only heartbeats"
    else:
        source = f" (IngestPolicy {traffic.cap_source})" if traffic.cap_source else ""
        pace = f"cap {traffic.cap_per_second}/s{source}, each symbol every {traffic.symbol_interval_seconds:.3g} s"
    budget = f"budget {traffic.budget_per_day:,} a day" if traffic.budget_per_day is not None else ""
    return " · ".join(each for each in (pace, *_operations_parts(traffic.writes), budget) if each)


def reads_text(traffic: Traffic) -> str:
    """Return the most reads of the viewers of a job: each changed document is a read of each listener."""
    viewers = f"{traffic.viewers} viewer{'' if traffic.viewers == 1 else 's'} of all symbols"
    return " · ".join((viewers, *_operations_parts(traffic.reads)))


def _operations_parts(operations: Operations) -> list[str]:
    free = f"{operations.free_per_day:,} a day are free"
    if operations.free_seconds is not None:
        free += f", used up in {duration_text(operations.free_seconds)}"
    parts = [f"at most {operations.per_session:,} a session of 6.5 h, {operations.per_day:,} in 24 h", free]
    if operations.session_cost is not None and operations.day_cost is not None:
        parts.append(f"costs {operations.session_cost:.2f} a session, {operations.day_cost:.2f} in 24 h")
    return parts


def _finding_lines(finding: Finding, terminal: Terminal) -> list[str]:
    sign, color = _SIGNS[finding.level]
    first, *others = indented(f"{finding.topic}: {finding.message}", terminal.width, " " * 4, f"{_INDENT}{sign} ")
    lines = [terminal.paint(first[: len(_INDENT) + 1], color) + first[len(_INDENT) + 1 :], *others]
    if finding.remedy:
        lines += indented(finding.remedy, terminal.width, " " * 6, " " * 4 + "→ ")
    return lines


def summary_line(plans: Sequence[Plan]) -> str:
    """Return the number of documents, of those with a problem, and of those that change something."""
    counts = {
        "would be refused or stalled": sum(each.has_problem for each in plans),
        "new": sum(each.action == CREATE for each in plans),
        "changed": sum(each.action == CHANGE for each in plans),
        "unchanged": sum(each.action == "unchanged" for each in plans),
    }
    parts = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return f"{len(plans)} IngestJob{'' if len(plans) == 1 else 's'}: {parts}"
