"""The symbols of one job as a table."""

from __future__ import annotations

from datetime import datetime

from ..model.symbol_list import SymbolList, SymbolReport
from ..text.instants import age_text, duration_text
from ..text.layout import GAP, column_widths, indented, total_width
from ..text.printable import display_width, pad, wrap
from ..text.terminal import Terminal
from .glyphs import COLORS, GLYPHS

_HEADINGS = ("", "SYMBOL", "STATE", "QUOTE", "BID", "ASK", "PRICE", "PACE", "WRITTEN")
_NAMED_HEADINGS = ("", "SYMBOL", "STATE")
_LEVELS = {"rejected": "needsAction", "stale": "warning", "halted": "warning", "paused": "paused", "live": "running"}
_UNNAMED_LEVELS = {"quiet": "running", "closed": "finished"}


def symbol_lines(symbols: SymbolList, terminal: Terminal, *, only_stale: bool) -> list[str]:
    """Return the lines of the table, its summary, and what could not be seen."""
    is_complete = symbols.source == "pod"
    shown = [each for each in symbols.symbols if each.state != "not named"]
    headings = _HEADINGS if is_complete else _NAMED_HEADINGS
    rows = [list(headings), *(_cells(each, symbols.at)[: len(headings)] for each in shown)]
    widths = column_widths(rows)
    indent = total_width(widths) + GAP
    lines = []
    if shown:
        lines.append(
            terminal.paint(_row(rows[0], widths, "REASON" if any(each.reason for each in shown) else ""), "bold")
        )
    for each, cells in zip(shown, rows[1:]):
        lines += _symbol_lines(each, cells, widths, indent, terminal)
    lines.append(_summary(symbols, only_stale=only_stale))
    hidden = len(symbols.symbols) - len(shown)
    if hidden and not only_stale:
        lines.append(f"{hidden} other symbols are not named: the status has the first 20 of each state.")
    for unseen in symbols.unseen:
        lines += wrap(f"Not visible: {unseen.what} ({unseen.why})", terminal.width)
    return lines


def _symbol_lines(
    report: SymbolReport, cells: list[str], widths: list[int], indent: int, terminal: Terminal
) -> list[str]:
    row = _row(cells, widths, "")
    if cells[0]:
        row = terminal.paint(cells[0], COLORS[_level(report.state)]) + row[len(cells[0]) :]
    if not report.reason:
        return [row]
    if display_width(report.reason) <= terminal.width - indent:
        plain = display_width(_row(cells, widths, ""))
        return [row + " " * (indent - plain) + report.reason]
    return [row, *indented(report.reason, terminal.width, " " * (1 + GAP))]


def _row(cells: list[str], widths: list[int], last: str) -> str:
    return (" " * GAP).join([*(pad(each, width) for each, width in zip(cells, widths)), last]).rstrip()


def _level(state: str) -> str:
    return _LEVELS.get(state) or _UNNAMED_LEVELS.get(state, "waiting")


def _cells(report: SymbolReport, now: datetime) -> list[str]:
    return [
        GLYPHS[_level(report.state)],
        report.symbol,
        report.state,
        age_text(report.quote_at, now) or "-",
        _price_text(report.bid),
        _price_text(report.ask),
        _price_text(report.price),
        duration_text(report.pace_seconds) if report.pace_seconds is not None else "-",
        age_text(report.written_at, now) or "-",
    ]


def _price_text(value: float | None) -> str:
    """Return a price with at least two decimals; one below 1 with at most eight."""
    if value is None:
        return "-"
    whole, _, decimals = f"{value:.{4 if value >= 1 else 8}f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def _summary(symbols: SymbolList, *, only_stale: bool) -> str:
    counts = " · ".join(f"{count} {state}" for state, count in symbols.counts.items())
    named = "No symbol is stale. " if only_stale and not symbols.symbols else ""
    source = "by the pod" if symbols.source == "pod" else "by the status of the job, at most 30 s old"
    return f"{named}{symbols.job}: {counts or 'nothing is reported'}, {source}"
