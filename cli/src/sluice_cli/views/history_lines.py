"""A history as lines, the newest last."""

from __future__ import annotations

from ..model.history import Entry, History
from ..text.instants import duration_text, short_instant
from ..text.layout import GAP, indented
from ..text.printable import display_width, pad, shorten, wrap
from ..text.terminal import Terminal
from .glyphs import COLORS, GLYPHS

_KIND_WIDTH = 6
_LONGEST_NAME = 30


def history_lines(history: History, terminal: Terminal, *, has_names: bool, only_gaps: bool) -> list[str]:
    """Return the lines of the entries, their summary, and what could not be seen. `has_names` adds a column of jobs."""
    times = [short_instant(each.at, history.at) if each.at else "-" for each in history.entries]
    names = [shorten(each.full_name, _LONGEST_NAME, "…") if has_names else "" for each in history.entries]
    time_width = max(map(display_width, times), default=0)
    name_width = max(map(display_width, names), default=0)
    lines = []
    for entry, time, name in zip(history.entries, times, names):
        start = pad(time, time_width) + (" " * GAP + pad(name, name_width) if has_names else "") + " " * GAP
        lines += _entry_lines(entry, start, history, terminal)
    lines.append(summary_text(history, only_gaps=only_gaps))
    for each in history.unseen:
        lines += wrap(f"Not visible: {each.what} ({each.why})", terminal.width)
    return lines + [line for each in history.not_kept for line in indented(each, terminal.width, "")]


def _entry_lines(entry: Entry, start: str, history: History, terminal: Terminal) -> list[str]:
    sign = GLYPHS.get(entry.level, " ")
    head = f"{start}{sign} {entry.kind.ljust(_KIND_WIDTH)} "
    lines = indented(entry_text(entry, history), terminal.width, " " * display_width(head), head)
    painted = start + terminal.paint(sign, COLORS.get(entry.level, ""))
    return [painted + lines[0][len(start) + 1 :], *lines[1:]]


def entry_text(entry: Entry, history: History) -> str:
    """Return an entry in words, without its time, its job and its kind."""
    if entry.kind == "gap":
        if entry.until is None:
            return f"{entry.what}, still open"
        return f"{duration_text(entry.seconds or 0)}, {entry.what}, until {short_instant(entry.until, history.at)}"
    if entry.kind == "pause":
        who = f"{entry.by}: {entry.message}" if entry.by and entry.message else entry.by or entry.message
        end = f"until {short_instant(entry.until, history.at)}" if entry.until else "without an end"
        return " · ".join(part for part in (entry.what, who, f"in force, {end}") if part)
    times = f" ({entry.times} times)" if entry.times > 1 else ""
    separator = " " if entry.kind == "pod" else ": "
    return (f"{entry.what}{separator}{entry.message}" if entry.message else entry.what) + times


def summary_text(history: History, *, only_gaps: bool) -> str:
    """Return the number of entries and gaps, and how long the gaps that have ended were."""
    gaps = [each for each in history.entries if each.kind == "gap"]
    still_open = sum(each.is_open_gap for each in gaps)
    seconds = sum(each.seconds or 0.0 for each in gaps)
    counted = f"{len(gaps)} gap" if len(gaps) == 1 else f"{len(gaps)} gaps"
    said = f"{counted}, {duration_text(seconds)} without data" + (f", {still_open} still open" if still_open else "")
    if only_gaps:
        return said if gaps else "No gap."
    if not history.entries:
        return "Nothing happened, as far as it is visible."
    count = len(history.entries)
    return f"{count} {'entry' if count == 1 else 'entries'}" + (f"; {said}" if gaps else "; no gap")
