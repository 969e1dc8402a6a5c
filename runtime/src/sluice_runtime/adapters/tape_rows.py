"""The rows of a tape: CSV with a header, as programs and spreadsheets write it."""

from __future__ import annotations

import csv
import logging
import math
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Final, TypeVar

import msgspec

from ..domain.market import Bar, Quote, Trade, normalised_side

_log = logging.getLogger(__name__)

COLUMNS: Final = ("time_ms", "symbol", "bid", "bid_size", "ask", "ask_size", "exchange")

# The columns of the time, and the units in a second of their small numbers.
_TIME_COLUMNS: Final = {
    "time_ms": 10**3, "time": 10**3, "timestamp": 10**3, "ts": 10**3, "time_s": 1, "time_us": 10**6, "time_ns": 10**9,
}  # fmt: skip
_OPTIONAL_COLUMNS: Final = {"exchange"}  # not used
_SEPARATORS: Final = (",", ";", "\t")
# Excel writes this line before the header when the separator is not the one of the locale.
_SEPARATOR_LINE: Final = re.compile(r"\ufeff?\"?sep=(.)\"?\s*", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[0-9]+(\.[0-9]*)?")
# The size of a Unix time since March 1973 tells its unit: the smallest number that is not in this unit, and the units
# in a second. A smaller number is in the unit of its column; it is a time from the start of a tape made by hand.
_SMALLEST_UNIX_TIME: Final = 10**8
_TIME_UNITS: Final = ((10**11, 1), (10**14, 10**3), (10**17, 10**6))
_NANOSECONDS: Final = 10**9
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

TapeEvent = Quote | Trade | Bar
RowOfGap = TypeVar("RowOfGap")


class TapeError(ValueError):
    """A text is not a tape. The message is a sentence that names the tape and the line, and says what to do.

    It quotes nothing of the text: a job may name a file that its author may not read.
    """


class _Columns(msgspec.Struct, frozen=True):
    """The columns of a tape: their number, the cells that are used in the order of COLUMNS, and the time's unit."""

    count: int
    cells_of_row: Callable[[list[str]], tuple[str, ...]]
    units_per_second: int


def parse_tape(lines: Iterable[str], name: str) -> Iterator[Quote]:
    """Yield the quotes of the tape `name` in order. Blank lines are skipped; `symbol` is as the tape spells it.

    The separator is a comma, a semicolon or a tab. The header has the COLUMNS in any order and letter case. A time is
    a Unix time in seconds, milliseconds, microseconds or nanoseconds, distinguished by its size, or an ISO 8601 time
    with an offset.

    Raises:
        TapeError: the header or a row is not understood.
        csv.Error: a line is not CSV.
    """
    skipped = 0
    for quote in _parse_rows(lines, name, lambda _row: None):
        if quote is None:
            skipped += 1
        else:
            yield quote
    if skipped:
        _log.info("the tape %s also has %d trades and bars of gaps; a replay streams only quotes", name, skipped)


def parse_tape_events(lines: Iterable[str], name: str) -> Iterator[TapeEvent]:
    """Yield the quotes, trades and bars of the tape `name` in the order of its rows; see `parse_tape` for the quotes.

    A trade has `trade`, its price and its size after the symbol; a bar has `bar:VOLUME`, open, high, low and close.

    Raises:
        TapeError: the header or a row is not understood.
        csv.Error: a line is not CSV.
    """
    yield from _parse_rows(lines, name, _parse_trade_or_bar)


def _parse_rows(
    lines: Iterable[str], name: str, parse_row_of_gap: Callable[[list[str]], RowOfGap]
) -> Iterator[Quote | RowOfGap]:
    """Yield the quotes, and what `parse_row_of_gap` returns for each other row."""
    numbered = iter(enumerate(lines, start=1))
    separator, header_number, header_line = _find_header(numbered)
    columns = _find_columns(next(csv.reader([header_line], delimiter=separator), []), header_number, name)
    rows = csv.reader((line for _, line in numbered), delimiter=separator)
    for row in rows:
        try:
            event = parse_row_of_gap(row) if is_row_of_gap(row) else _parse_quote(row, columns)
        except (ValueError, OverflowError) as error:
            if not any(cell.strip() for cell in row):
                continue
            number = header_number + rows.line_num
            raise TapeError(f"line {number} of the tape {name} is not a quote: {error}") from error
        yield event


def is_row_of_gap(row: list[str]) -> bool:
    """Return True for a trade or bar that a recording runtime fetched after a gap. A tape's quotes have a number."""
    return len(row) > 2 and (row[2] == "trade" or row[2].startswith("bar:"))


def _parse_trade_or_bar(row: list[str]) -> Trade | Bar:
    time, symbol, kind, *cells = row
    ts = _parse_time(time, _TIME_COLUMNS[COLUMNS[0]])
    if kind == "trade":
        return Trade(symbol=symbol, ts=ts, price=_parse_number(cells[0], "price"), size=_parse_number(cells[1], "size"))
    names = ("open", "high", "low", "close")
    prices = {name: _parse_number(cell, name) for name, cell in zip(names, cells, strict=True)}
    return Bar(symbol=symbol, ts=ts, volume=_parse_number(kind.removeprefix("bar:"), "volume"), **prices)


def _find_header(numbered: Iterator[tuple[int, str]]) -> tuple[str, int, str]:
    """Return the separator, and the number and the text of the header line: the first line that is not blank."""
    declared = None
    for number, line in numbered:
        if found := _SEPARATOR_LINE.fullmatch(line):
            declared = found[1]
        elif line.strip(" \t\r\n,;"):
            return declared or max(_SEPARATORS, key=line.count), number, line
    return ",", 0, ""


def _find_columns(header: list[str], number: int, tape: str) -> _Columns:
    """Return the columns of the header in line `number`.

    Raises:
        TapeError: a column is missing, unknown, or there twice.
    """
    names = ["_".join(re.split(r"[\s_-]+", cell.strip().lower())) for cell in header]
    while names and not names[-1]:
        names.pop()
    known = ["time_ms" if name in _TIME_COLUMNS else name for name in names]
    if len(set(known)) != len(known) or set(known) | _OPTIONAL_COLUMNS != set(COLUMNS):
        found = f"in line {number} are not those of a tape" if names else "are missing"
        raise TapeError(f"the columns of the tape {tape} {found}; write the header {','.join(COLUMNS)}")
    positions = [known.index(name) for name in COLUMNS if name not in _OPTIONAL_COLUMNS]
    return _Columns(len(names), itemgetter(*positions), _TIME_COLUMNS[names[positions[0]]])


def _parse_quote(row: list[str], columns: _Columns) -> Quote:
    if len(row) != columns.count and (len(row) < columns.count or any(map(str.strip, row[columns.count :]))):
        raise ValueError(f"it has {len(row)} cells, but the header has {columns.count}; correct the line")
    time, symbol, bid, bid_size, ask, ask_size = map(str.strip, columns.cells_of_row(row))
    if not symbol:
        raise ValueError("the symbol is empty; write one, or remove the line")
    bid_price, bid_shares = normalised_side(_parse_number(bid, "bid"), _parse_number(bid_size, "bid_size"))
    ask_price, ask_shares = normalised_side(_parse_number(ask, "ask"), _parse_number(ask_size, "ask_size"))
    ts = _parse_time(time, columns.units_per_second)
    return Quote(symbol=symbol, ts=ts, bid=bid_price, ask=ask_price, bid_size=bid_shares, ask_size=ask_shares)


def _parse_number(text: str, column: str) -> float:
    """Return a number; 0 for an empty text."""
    try:
        number = float(text) if text else 0.0
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        comma = " with a decimal point" if "," in text else ""
        raise ValueError(f"{column} is not a number; write a number{comma}")
    return number


def _parse_time(text: str, units_per_second: int) -> datetime:
    if text.isdecimal() or _NUMBER.fullmatch(text):
        return _parse_unix_time(text, units_per_second)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            "the time has another form; write Unix time in milliseconds, such as 1795860000000, or 2026-11-28T10:00:00Z"
        ) from None
    if time.tzinfo is None:
        raise ValueError("the time has no time zone; add Z for UTC, or an offset such as -05:00")
    return time.astimezone(UTC)


def _parse_unix_time(text: str, units_per_second: int) -> datetime:
    whole, _, fraction = text.partition(".")
    size = int(whole)
    if size >= _SMALLEST_UNIX_TIME:
        units_per_second = _units_per_second(size)
    part = round(float(f"0.{fraction}") * 10**6) if fraction else 0
    microseconds = (size * 10**6 + part) // units_per_second
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        raise ValueError("the time is beyond the year 9999; write Unix time in milliseconds") from None


def _units_per_second(size: int) -> int:
    for limit, units in _TIME_UNITS:
        if size < limit:
            return units
    return _NANOSECONDS
