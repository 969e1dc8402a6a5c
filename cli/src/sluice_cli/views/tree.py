"""One job as a tree: its stream, its writes, its connection, its pod, what pauses it, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from ..model.fleet import Unseen
from ..model.job import Gap, JobStatus
from ..model.pod import Pod
from ..model.state import PROBLEMS
from ..text.instants import age_text, duration_text, short_instant
from ..text.layout import indented
from ..text.printable import display_width
from ..text.terminal import Terminal
from .glyphs import COLORS, GLYPHS
from .market_text import market_text
from .sentences import freshness_text, named_symbols, next_command, rate_text, rejection_text, state_text

_LABEL_WIDTH, _BRANCH_WIDTH = 10, 3
_SHOWN_GAPS = 3


class Node(NamedTuple):
    """A line of the tree: its label, its level (empty: without a sign), its text, and the nodes below it."""

    label: str
    level: str
    text: str
    below: tuple[Node, ...] = ()


def tree_lines(
    job: JobStatus, pod: Pod | None, unseen: Sequence[Unseen], now: datetime, terminal: Terminal
) -> list[str]:
    """Return the lines about one job. `pod` is None if it has none, or if it could not be seen."""
    lines = _head(job, now, terminal)
    nodes = [each for each in _nodes(job, pod, now) if each is not None]
    for number, node in enumerate(nodes):
        lines += _node_lines(node, "", terminal, is_last=number + 1 == len(nodes))
    lines += [f"Not visible: {each.what} ({each.why})" for each in unseen]
    return [*lines, f"Next: {next_command(job)}"]


def _head(job: JobStatus, now: datetime, terminal: Terminal) -> list[str]:
    level = job.state.level
    word = terminal.paint(f"{GLYPHS[level]} {state_text(job, now)}", COLORS[level])
    facts = [f"epoch {job.epoch}" if job.epoch else "", _generation_text(job), "dry run" if job.is_dry_run else ""]
    lines = ["   ".join([terminal.paint(job.full_name, "bold"), word, *filter(None, facts)])]
    if level in PROBLEMS:
        lines += indented(job.state.message, terminal.width, "  ")
        lines += indented(job.state.remedy, terminal.width, "    ", "  → ")
    return lines


def _generation_text(job: JobStatus) -> str:
    if job.generation is None:
        return ""
    if job.applied_generation is None:
        return f"generation {job.generation}, no pod has reported"
    is_applied = job.applied_generation >= job.generation
    return f"generation {job.generation}, {'applied' if is_applied else f'{job.applied_generation} is applied'}"


def _nodes(job: JobStatus, pod: Pod | None, now: datetime) -> Iterator[Node | None]:
    yield _stream_node(job, now)
    yield _pause_node(job, now)
    yield _sink_node(job, now)
    yield _slot_node(job)
    yield _pod_node(job, pod)
    yield Node("policy", "", ", ".join(job.policies)) if job.policies else None
    yield _problems_node(job)
    yield _gaps_node(job, now)


def _stream_node(job: JobStatus, now: datetime) -> Node:
    since = job.state.since if job.state.level in ("running", "warning") else None
    duration = f" since {short_instant(since, now)} ({age_text(since, now)})" if since else ""
    level = {"Live": "running", "Paused": "paused", "Finished": "finished"}.get(job.stream_state, "waiting")
    if job.stream_state == "Blocked":
        level = "needsAction"
    beat = f" · reported {age_text(job.heartbeat_at, now)} ago" if job.heartbeat_at else ""
    quote = f" · last quote {age_text(job.last_quote_at, now)} ago" if job.last_quote_at else ""
    text = f"{job.stream_state or 'not reported'} {job.feed}{duration}{beat}{quote}"
    return Node("stream", level, text, tuple(_symbol_nodes(job, now)))


def _symbol_nodes(job: JobStatus, now: datetime) -> Iterator[Node]:
    symbols = job.symbols
    if symbols.confirmed is None:
        yield Node("symbols", "waiting", f"{symbols.declared} declared, none reported")
        return
    rejected = rejection_text(symbols)
    is_complete = symbols.confirmed == symbols.desired
    if job.stream_state == "Paused":
        level, said = "paused", f"{symbols.declared} declared"
    else:
        level = "warning" if rejected else "running" if is_complete else "waiting"
        said = f"{symbols.confirmed} of {symbols.desired} confirmed"
    yield Node("symbols", level, " · ".join(filter(None, (said, rejected))))
    stale = symbols.freshness.get("stale", 0)
    named = f" ({named_symbols(symbols.stale[:5], stale)})" if symbols.stale else ""
    counts = freshness_text(symbols).replace(" stale", f" stale{named}")
    if text := " · ".join(filter(None, (counts, market_text(job.market, now)))):
        yield Node("fresh", "warning" if stale else level, text)
    for each in symbols.pauses:
        what = f"{', '.join(each.symbols)} by {each.switch.describe(now)}"
        yield Node("paused", "paused", f"{what}\n→ {each.switch.command or each.switch.ends}")


def _pause_node(job: JobStatus, now: datetime) -> Node | None:
    pause = job.pause
    if pause is None:
        return None
    if pause.acknowledged_at is not None:
        said = f"acknowledged {short_instant(pause.acknowledged_at, now)} ({age_text(pause.acknowledged_at, now)})"
    elif job.state.level == "paused":
        said = "no pod runs, so nothing is connected"
    else:
        said = "not acknowledged"
    below = (Node("", "", f"{each.describe(now)}\n→ {each.command or each.ends}") for each in pause.switches)
    return Node("pause", "paused" if job.state.level == "paused" else "waiting", said, tuple(below))


def _sink_node(job: JobStatus, now: datetime) -> Node:
    sink = job.sink
    level = {True: "running", False: "degraded", None: "waiting"}[sink.is_healthy]
    last = f"last write {age_text(sink.last_write_at, now)} ago" if sink.last_write_at else "nothing written yet"
    budget = f"{sink.writes_used} of {sink.writes_limit} writes today" if sink.writes_limit is not None else ""
    parts = (f"Firestore {sink.project or '(default project)'}", sink.message, rate_text(sink), last, budget)
    return Node("sink", level, " · ".join(filter(None, parts)))


def _slot_node(job: JobStatus) -> Node | None:
    if job.slot is None:
        return None
    if job.slot.is_acquired:
        return Node("slot", "running", "this job holds the connection of its key")
    return Node("slot", "waiting", f"held by {job.slot.holder}")


def _pod_node(job: JobStatus, pod: Pod | None) -> Node | None:
    if pod is None:
        return Node("pod", "", job.pod_name) if job.pod_name else None
    where = f"on {pod.node}" if pod.node else "on no node yet"
    level = "running" if pod.is_running else "waiting"
    return Node(
        "pod",
        level,
        f"{pod.name} · {pod.phase} · {pod.restarts} {'restart' if pod.restarts == 1 else 'restarts'} · {where}",
    )


def _problems_node(job: JobStatus) -> Node | None:
    below = tuple(
        Node("", "warning", each.message + (f"\n→ {each.remedy}" if each.remedy else ""))
        for each in job.problems
        if each.message != job.state.message or job.state.level not in PROBLEMS
    )
    return (
        Node("look at", "warning", f"{len(below)} {'thing' if len(below) == 1 else 'things'}", below) if below else None
    )


def _gaps_node(job: JobStatus, now: datetime) -> Node | None:
    if not job.gaps:
        return None
    shown = " · ".join(_gap_text(each, now) for each in job.gaps[-_SHOWN_GAPS:])
    more = len(job.gaps) - _SHOWN_GAPS
    return Node("gaps", "", shown + (f" · {more} earlier" if more > 0 else ""))


def _gap_text(gap: Gap, now: datetime) -> str:
    since = short_instant(gap.since, now) if gap.since else "?"
    if gap.until is None:
        return f"{since} → now {gap.cause}"
    length = duration_text((gap.until - gap.since).total_seconds()) if gap.since else ""
    return f"{since} → {short_instant(gap.until, now)} {gap.cause} {length}".strip()


def _node_lines(node: Node, prefix: str, terminal: Terminal, *, is_last: bool) -> list[str]:
    """Return the lines of a node and of those below it; a long text continues under its beginning."""
    branch, below = ("└─ ", "   ") if is_last else ("├─ ", "│  ")
    width = max(0, _LABEL_WIDTH - len(prefix) // _BRANCH_WIDTH * _BRANCH_WIDTH)
    label = node.label.ljust(width) + " " if node.label else ""
    sign = f"{GLYPHS[node.level]} " if node.level else ""
    start = prefix + branch + label
    trunk = prefix + below + ("│  " if node.below else "")
    indent = trunk + " " * max(0, display_width(start + sign) - display_width(trunk))
    lines: list[str] = []
    for number, part in enumerate(node.text.split("\n")):
        if part.startswith("→ "):
            lines.append(indent + part)  # a command stays on one line, so that it can be copied
        else:
            lines += indented(part, terminal.width, indent, start + sign if number == 0 else indent)
    if node.level:
        lines[0] = start + terminal.paint(sign.strip(), COLORS[node.level]) + lines[0][len(start + sign) - 1 :]
    for number, each in enumerate(node.below):
        lines += _node_lines(each, prefix + below, terminal, is_last=number + 1 == len(node.below))
    return lines
