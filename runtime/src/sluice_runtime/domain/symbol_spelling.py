"""Other spellings of a job's symbols, as files from other tools have them."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SEPARATORS = re.compile(r"[-_./ ]")


class SymbolSpellings:
    """The symbols of a job, found by any of their spellings.

    Letter case does not matter. `-`, `_`, `/`, `.` and a space are the same: BRK-B and BRK/B are BRK.B. A pair may lack
    its separator: BTCUSD is BTC/USD. A share class may not, because BRKB can be another company.
    """

    def __init__(self, symbols: Iterable[str]) -> None:
        self._symbols_by_spelling: dict[str, set[str]] = {}
        self._found: dict[str, str] = {}  # has no text without a symbol: a file can have any number of these
        for symbol in symbols:
            for spelling in _spellings(symbol):
                self._symbols_by_spelling.setdefault(spelling, set()).add(symbol)
            self._found[symbol] = symbol  # the exact spelling takes precedence

    def symbol_of(self, text: str) -> str | None:
        """Return the job's symbol that a text stands for; None if there is none, or more than one."""
        if (symbol := self._found.get(text)) is not None:
            return symbol
        candidates = self._symbols_by_spelling.get(_with_one_separator(text), set())
        if len(candidates) != 1:
            return None
        [self._found[text]] = candidates
        return self._found[text]


def _spellings(symbol: str) -> set[str]:
    spelling = _with_one_separator(symbol)
    return {spelling, spelling.replace(".", "")} if "/" in symbol else {spelling}


def _with_one_separator(text: str) -> str:
    return _SEPARATORS.sub(".", text.strip().upper())
