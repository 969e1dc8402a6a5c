"""Symbols that the provider confirmed and that have never ticked: renamed, delisted or mistyped ones.

A confirmation proves little. Providers confirm symbols that they do not have, and then send nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from .symbol_pace import OBSERVATION_SECONDS

# A symbol without a tick is unheard after so much time in which it could have ticked.
UNHEARD_SECONDS = 90.0
# After so much time of an open market, a person has to look at it.
NEVER_TICKED_SECONDS = 3600.0
# While all symbols are silent for longer than this, the silence of one of them says nothing.
_FEED_SILENT_SECONDS = 300.0


class UnheardSymbols:
    """Remembers which symbols have ticked since the process started, and how long the others could have done so.

    A symbol could have ticked while its market was open and other symbols ticked now and then, or while others ticked
    although the calendar has no session. If no symbol has ever ticked, the calendar alone decides. On a day on which
    the exchanges stay closed, the silence of all symbols says nothing about one of them.

    Only the stream counts, because a snapshot also knows symbols that no longer trade.
    """

    def __init__(self) -> None:
        self._received: set[str] = set()
        self._silent_seconds = 0.0  # of all symbols
        self._waited_seconds: defaultdict[str, float] = defaultdict(float)
        self._open_seconds: defaultdict[str, float] = defaultdict(float)

    def retain_only(self, symbols: frozenset[str]) -> None:
        """Forget all symbols that are not in `symbols`."""
        self._received &= symbols
        for seconds in (self._waited_seconds, self._open_seconds):
            for symbol in seconds.keys() - symbols:
                del seconds[symbol]

    def record_observation(
        self, ticked: Collection[str], expected: Collection[str], *, is_market_open: bool, is_main_session: bool
    ) -> None:
        """Record the symbols that have ticked since the last observation, out of those that the provider confirmed.

        `expected` lacks paused and halted symbols. It is empty while the stream is not live. `is_main_session` is True
        if the market is open in a session in which every symbol trades.
        """
        self._received.update(ticked)
        for symbol in ticked:
            self._waited_seconds.pop(symbol, None)
            self._open_seconds.pop(symbol, None)
        self._silent_seconds = 0.0 if ticked else self._silent_seconds + OBSERVATION_SECONDS
        if not self._could_tick(is_market_open=is_market_open):
            return
        for symbol in expected:
            if symbol not in self._received:
                self._waited_seconds[symbol] += OBSERVATION_SECONDS
                self._open_seconds[symbol] += OBSERVATION_SECONDS if is_main_session else 0.0

    def _could_tick(self, *, is_market_open: bool) -> bool:
        if self._silent_seconds == 0.0:
            return True
        return is_market_open and (not self._received or self._silent_seconds <= _FEED_SILENT_SECONDS)

    def has_ticked(self, symbol: str) -> bool:
        """Return True if the stream has delivered data of a symbol."""
        return symbol in self._received

    def is_unheard(self, symbol: str) -> bool:
        """Return True if a symbol has not ticked in the 90 s in which it could have."""
        return self._waited_seconds.get(symbol, 0.0) >= UNHEARD_SECONDS

    def has_never_ticked(self, symbol: str) -> bool:
        """Return True if a symbol has not ticked in an hour of open market."""
        return self._open_seconds.get(symbol, 0.0) >= NEVER_TICKED_SECONDS
