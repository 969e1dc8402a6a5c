"""The freshness of each symbol, compared with its own usual pace while its market is open.

Silence alone means little: most symbols are silent most of the time, and all of them are at night. Only a symbol that
ticked regularly in the current session and then falls silent is reported as stale: most symbols that are busy in
regular hours are not in extended hours, and none is on a day on which the exchanges stay closed.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Literal, get_args

import msgspec

from sluice_contract.documents import NAMES_SHOWN, QuoteState
from sluice_contract.symbol_counts import FreshnessCounts

from .market import Halt
from .market_hours import MarketState
from .symbol_pace import SymbolPaces
from .unheard_symbols import UnheardSymbols

Freshness = Literal["LIVE", "QUIET", "STALE", "CLOSED", "HALTED", "PAUSED", "UNHEARD", "OFFLINE"]

_LIVE_SECONDS = 15.0
_STALE_SECONDS = 60.0
# In extended hours and overnight, trading can become many times slower within minutes.
_STALE_SECONDS_OUTSIDE_REGULAR_HOURS = 150.0
# Both thresholds are at least this many effective write intervals.
_INTERVALS = 3.0
# A symbol that ticks at least this often is liquid; a silence of ten times its pace is then not a coincidence. The pace
# is an average: gaps whose median is above 10 s are longer on average, and among them, long ones are usual.
_LIQUID_SECONDS = 10.0
_PACES = 10.0
# A silent connection is detected earlier than its first stale symbol, at this share of the threshold.
_MUTE_SHARE = 0.75


class FreshnessInput(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the stream, the job and the market at one observation. `at` is in monotonic seconds."""

    at: float
    session: MarketState
    streaming: bool
    job_paused: bool
    paused: frozenset[str]
    subscribed: frozenset[str]
    halted: Collection[str]
    interval_seconds: float
    is_main_session: bool = True  # whether every symbol trades while the market is open
    silent_seconds: float  # since the last message of any kind


NO_SYMBOLS = FreshnessCounts(live=0, quiet=0, stale=0, closed=0, halted=0, paused=0)


class FreshnessSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The market session, the number of symbols in each state, and the first 20 symbols of some states in order.

    `received_count` is the number of symbols, out of those that are not paused, from which the stream has delivered
    data. `never_ticked` are those that were unheard during an hour of open market.
    """

    session: MarketState
    counts: FreshnessCounts
    stale: tuple[str, ...] = ()
    halted: tuple[str, ...] = ()
    unheard: tuple[str, ...] = ()
    never_ticked: tuple[str, ...] = ()
    never_ticked_count: int = 0
    received_count: int = 0


class SymbolFreshness(msgspec.Struct, frozen=True):
    """The freshness of one symbol, and its average number of seconds between ticks.

    The pace is at least 5 s, because that is the time between two observations; None before the first tick.
    """

    state: Freshness
    pace_seconds: float | None


class FreshnessModel:
    """Decides the freshness of each symbol from when and how often it has ticked.

    Memory is bounded by the number of symbols.
    """

    def __init__(self) -> None:
        self._ticked_at: dict[str, float] = {}
        self._silent_since: dict[str, float] = {}  # the last tick, or the last time at which silence was expected
        self._paces = SymbolPaces()
        self._unheard = UnheardSymbols()
        self._stale: set[str] = set()
        self._quotes_since: datetime | None = None

    def retain_only(self, symbols: frozenset[str]) -> None:
        """Forget the ticks of all symbols that are not in `symbols`."""
        for times in (self._ticked_at, self._silent_since):
            for symbol in times.keys() - symbols:
                del times[symbol]
        self._paces.retain_only(symbols)
        self._unheard.retain_only(symbols)
        self._stale &= symbols

    def record_observation(self, ticked: Collection[str], inputs: FreshnessInput) -> None:
        """Update the activity and the staleness of each symbol.

        `ticked` are the symbols with a tick since the last observation.
        """
        self._forget_paces_of_previous_session(inputs.session.quotes_since)
        excused = not inputs.streaming or not inputs.session.expects_quotes
        watched = inputs.subscribed - inputs.paused
        for symbol in self._silent_since.keys() - watched:
            del self._silent_since[symbol]
        for symbol in watched:
            has_ticked = symbol in ticked
            if has_ticked:
                self._ticked_at[symbol] = inputs.at
                self._stale.discard(symbol)
            if has_ticked or excused or symbol in inputs.halted:
                self._silent_since[symbol] = inputs.at
            self._silent_since.setdefault(symbol, inputs.at)
            if not excused and symbol not in self._stale and symbol not in inputs.halted:
                self._paces.record_observation(symbol, has_ticked=has_ticked)
        self._unheard.record_observation(
            ticked,
            watched.difference(inputs.halted) if inputs.streaming else (),
            is_market_open=inputs.session.expects_quotes,
            is_main_session=inputs.session.expects_quotes and inputs.is_main_session,
        )
        self._stale.update(symbol for symbol in watched if self._has_become_stale(symbol, inputs))

    def _forget_paces_of_previous_session(self, quotes_since: datetime | None) -> None:
        """Forget all paces if another session has begun. Symbols that are stale stay stale until their next tick."""
        if quotes_since is None or quotes_since == self._quotes_since:
            return
        self._quotes_since = quotes_since
        self._paces.clear()
        self._silent_since.clear()

    def freshness_of(self, symbol: str, inputs: FreshnessInput) -> Freshness:
        """Return the freshness of a symbol, such as LIVE or STALE."""
        if inputs.job_paused or symbol in inputs.paused:
            return "PAUSED"
        if not inputs.streaming or symbol not in inputs.subscribed:
            return "OFFLINE"
        if symbol in inputs.halted:
            return "HALTED"
        if inputs.at - self._ticked_at.get(symbol, -math.inf) <= self._at_least_three_intervals(_LIVE_SECONDS, inputs):
            return "LIVE"
        return self._kind_of_silence(symbol, inputs)

    def _kind_of_silence(self, symbol: str, inputs: FreshnessInput) -> Freshness:
        if self._unheard.is_unheard(symbol):
            return "UNHEARD"
        if inputs.session.phase == "closed":
            return "CLOSED"
        return "STALE" if symbol in self._stale and not inputs.session.is_presumed_closed else "QUIET"

    def pace_of(self, symbol: str) -> float | None:
        """Return the average number of seconds between two ticks, at least 5; None before the first tick.

        Only observations of the open market count, and those of the last ten minutes count most.
        """
        return self._paces.average_pace(symbol)

    def summarize(
        self, symbols: Iterable[str], inputs: FreshnessInput, just_ticked: Callable[[str], bool] = lambda _: False
    ) -> FreshnessSummary:
        """Return the number of symbols in each state, and the first of some states.

        Offline symbols are not counted. `just_ticked` returns whether a symbol has ticked since the last observation.
        """
        never_ticked: list[str] = []
        received_count = 0
        symbols_by_state: dict[Freshness, list[str]] = {state: [] for state in get_args(Freshness)}
        for symbol in symbols:
            state = self.freshness_of(symbol, inputs)
            symbols_by_state[state].append(symbol)
            if state == "UNHEARD" and self._unheard.has_never_ticked(symbol):
                never_ticked.append(symbol)
            received_count += symbol not in inputs.paused and (self._unheard.has_ticked(symbol) or just_ticked(symbol))
        return FreshnessSummary(
            session=inputs.session,
            counts=FreshnessCounts(
                live=len(symbols_by_state["LIVE"]),
                quiet=len(symbols_by_state["QUIET"]),
                stale=len(symbols_by_state["STALE"]),
                closed=len(symbols_by_state["CLOSED"]),
                halted=len(symbols_by_state["HALTED"]),
                paused=len(symbols_by_state["PAUSED"]),
                unheard=len(symbols_by_state["UNHEARD"]),
            ),
            stale=tuple(heapq.nsmallest(NAMES_SHOWN, symbols_by_state["STALE"])),
            halted=tuple(heapq.nsmallest(NAMES_SHOWN, symbols_by_state["HALTED"])),
            unheard=tuple(heapq.nsmallest(NAMES_SHOWN, symbols_by_state["UNHEARD"])),
            never_ticked=tuple(heapq.nsmallest(NAMES_SHOWN, never_ticked)),
            never_ticked_count=len(never_ticked),
            received_count=received_count,
        )

    def quote_states_not_live(self, inputs: FreshnessInput) -> dict[str, QuoteState]:
        """Return the status of each symbol that is stale or halted.

        A symbol that is stale when the market closes stays stale until its next tick.
        """
        found: dict[str, QuoteState] = dict.fromkeys(sorted(self._stale), "stale")
        return found | dict.fromkeys(sorted(inputs.halted), "halted")

    def is_connection_silent(self, inputs: FreshnessInput) -> bool:
        """Return True if no message arrives on the open connection although a liquid symbol should have ticked."""
        for symbol in inputs.subscribed:
            threshold = _MUTE_SHARE * self._stale_after_seconds(symbol, inputs)
            if inputs.silent_seconds >= threshold and self._seconds_silent(symbol, inputs) >= threshold:
                return True
        return False

    def _has_become_stale(self, symbol: str, inputs: FreshnessInput) -> bool:
        return self._seconds_silent(symbol, inputs) >= self._stale_after_seconds(symbol, inputs)

    def _seconds_silent(self, symbol: str, inputs: FreshnessInput) -> float:
        return inputs.at - self._silent_since.get(symbol, inputs.at)

    def _stale_after_seconds(self, symbol: str, inputs: FreshnessInput) -> float:
        """Return the seconds of silence that make a symbol stale; infinite for a symbol that is not liquid."""
        pace = self._paces.usual_pace(symbol)
        if pace > _LIQUID_SECONDS:
            return math.inf
        is_thin = inputs.session.session in ("extended", "overnight")
        least = _STALE_SECONDS_OUTSIDE_REGULAR_HOURS if is_thin else _STALE_SECONDS
        return self._at_least_three_intervals(max(least, _PACES * pace), inputs)

    def _at_least_three_intervals(self, seconds: float, inputs: FreshnessInput) -> float:
        return max(seconds, _INTERVALS * inputs.interval_seconds)


def apply_halts(states: dict[str, QuoteState], halts: Iterable[Halt]) -> None:
    """Change `states`, the symbols whose documents are not live, by halts and resumptions in the order of arrival."""
    for halt in halts:
        if halt.halted:
            states[halt.symbol] = "halted"
        elif states.get(halt.symbol) == "halted":
            del states[halt.symbol]


class SilenceReactionLimiter:
    """Limits how often the runtime reacts to a silent connection.

    The first reaction is allowed immediately. The interval to the next one doubles each time, up to `max_seconds`, and
    starts at `first_seconds` again when data arrives: the reaction has then helped, and the next one may follow after
    `helped_seconds`.
    """

    helped_seconds = 120.0

    def __init__(self, first_seconds: float = 300.0, max_seconds: float = 3600.0) -> None:
        self._first = first_seconds
        self._max = max_seconds
        self._wait = first_seconds
        self._not_before = -math.inf
        self._reacted_at = -math.inf

    def try_acquire(self, is_silent: bool, has_ticked: bool, at: float) -> bool:
        """Return True if the caller must react now. The next interval then starts."""
        if has_ticked:
            self._wait = self._first
            self._not_before = min(self._not_before, self._reacted_at + self.helped_seconds)
        if not is_silent or at < self._not_before:
            return False
        self._reacted_at, self._not_before = at, at + self._wait
        self._wait = min(self._max, 2 * self._wait)
        return True
