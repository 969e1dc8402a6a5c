"""Requests for past trades and bars, and the part of a gap that each of them covers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from .batches import batches
from .market import Bar, Trade

HistoryKind = Literal["trades", "bars"]

# With more symbols in one request, the URL would be too long for some proxies.
_SYMBOLS = 100
# A bar is sent when its minute is over, so the bars that a gap hides began a minute before.
_BAR_LENGTH = timedelta(minutes=1)


class HistoryRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request for one kind of data of some symbols, from `start` to `end`, both included."""

    kind: HistoryKind
    symbols: tuple[str, ...]
    start: datetime
    end: datetime


class HistoryPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of an answer. `next_page` names the page after it; None on the last page."""

    trades: Sequence[Trade] = ()
    bars: Sequence[Bar] = ()
    next_page: str | None = None


def requests_for_gap(symbols: Sequence[str], start: datetime, end: datetime) -> list[HistoryRequest]:
    """Return the requests that cover a gap: trades and one-minute bars, for at most 100 symbols each."""
    found = []
    for some in batches(symbols, _SYMBOLS):
        names = tuple(some)
        found.append(HistoryRequest(kind="trades", symbols=names, start=start, end=end))
        found.append(HistoryRequest(kind="bars", symbols=names, start=start - _BAR_LENGTH, end=end - _BAR_LENGTH))
    return found
