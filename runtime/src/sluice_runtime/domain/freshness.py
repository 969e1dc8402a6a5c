"""The freshness of each symbol, compared with its own usual pace while its market is open.

Silence alone means little: most symbols are silent most of the time, and all of them are at night. Only a symbol that
ticked regularly and then falls silent during the session is reported as stale.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from typing import Literal

import msgspec

from sluice_contract.documents import QuoteState
from sluice_contract.status import SymbolFreshness

from .market_hours import MarketSession

Freshness = Literal["LIVE", "QUIET", "STALE", "CLOSED", "HALTED", "PAUSED", "OFFLINE"]

OBSERVATION_SECONDS = 5.0  # between two observations
_LIVE_SECONDS = 15.0
_STALE_SECONDS = 60.0
# Both thresholds are at least this many effective write intervals.
_INTERVALS = 3.0
# The time constant of the moving average of a symbol's activity.
_MEMORY_SECONDS = 600.0
_WEIGHT = 1.0 - math.exp(-OBSERVATION_SECONDS / _MEMORY_SECONDS)
# A symbol that ticks at least this often is liquid; a silence of ten times its pace is then not a coincidence.
_LIQUID_SECONDS = 30.0
_PACES = 10.0
# A silent connection is detected earlier than its first stale symbol, at this share of the threshold.
_MUTE_SHARE = 0.75


class FreshnessInput(msgspec.Struct, frozen=True, kw_only=True):
    """The facts by which freshness is decided. `at` is in monotonic seconds."""

    at: float
    session: MarketSession
    streaming: bool
    job_paused: bool
    paused: frozenset[str]
    subscribed: frozenset[str]
    halted: Collection[str]
    interval_seconds: float
    silent_seconds: float  # since the last message of any kind


class FreshnessModel:
    """Remembers when and how often each symbol ticked. Memory is bounded by the number of symbols."""

    def __init__(self) -> None:
        self._heard_at: dict[str, float] = {}
        self._silent_since: dict[str, float] = {}  # the last tick, or the last time at which silence was expected
        self._activity: dict[str, float] = {}  # the share of observations with a tick
        self._stale: set[str] = set()

    def retain_only(self, symbols: frozenset[str]) -> None:
        """Forget all other symbols."""
        for book in (self._heard_at, self._silent_since, self._activity):
            for symbol in book.keys() - symbols:
                del book[symbol]
        self._stale &= symbols

    def record_observation(self, heard: Collection[str], scene: FreshnessInput) -> None:
        """Update the model with the symbols that ticked since the last observation."""
        excused = not scene.streaming or scene.session.phase != "open"
        watched = scene.subscribed - scene.paused
        for symbol in self._silent_since.keys() - watched:
            del self._silent_since[symbol]
        for symbol in watched:
            was_heard = symbol in heard
            if was_heard:
                self._heard_at[symbol] = scene.at
                self._stale.discard(symbol)
            if was_heard or excused or symbol in scene.halted:
                self._silent_since[symbol] = scene.at
            self._silent_since.setdefault(symbol, scene.at)
            if not excused and symbol not in self._stale and symbol not in scene.halted:
                activity = self._activity.get(symbol, 0.0)
                self._activity[symbol] = activity + _WEIGHT * (was_heard - activity)
        self._stale.update(symbol for symbol in watched if self._has_become_stale(symbol, scene))

    def freshness_of(self, symbol: str, scene: FreshnessInput) -> Freshness:
        """Return the freshness of a symbol."""
        if scene.job_paused or symbol in scene.paused:
            return "PAUSED"
        if not scene.streaming or symbol not in scene.subscribed:
            return "OFFLINE"
        if symbol in scene.halted:
            return "HALTED"
        if scene.at - self._heard_at.get(symbol, -math.inf) <= self._at_least_three_intervals(_LIVE_SECONDS, scene):
            return "LIVE"
        if scene.session.phase == "closed":
            return "CLOSED"
        return "STALE" if symbol in self._stale else "QUIET"

    def count_states(self, symbols: Iterable[str], scene: FreshnessInput) -> SymbolFreshness:
        """Return the number of symbols in each state. Offline symbols are not counted."""
        states = [self.freshness_of(symbol, scene) for symbol in symbols]
        return SymbolFreshness(
            live=states.count("LIVE"),
            quiet=states.count("QUIET"),
            stale=states.count("STALE"),
            closed=states.count("CLOSED"),
            halted=states.count("HALTED"),
            paused=states.count("PAUSED"),
        )

    def quote_states_not_live(self, scene: FreshnessInput) -> dict[str, QuoteState]:
        """Return the symbols whose documents must not say live. A symbol stale at the close stays so until it ticks."""
        found: dict[str, QuoteState] = dict.fromkeys(sorted(self._stale), "stale")
        return found | dict.fromkeys(sorted(scene.halted), "halted")

    def is_connection_silent(self, scene: FreshnessInput) -> bool:
        """Return True if the open connection is silent although a liquid symbol should have ticked."""
        for symbol in scene.subscribed:
            threshold = _MUTE_SHARE * self._stale_after_seconds(symbol, scene)
            if scene.silent_seconds >= threshold and self._seconds_silent(symbol, scene) >= threshold:
                return True
        return False

    def _has_become_stale(self, symbol: str, scene: FreshnessInput) -> bool:
        return self._seconds_silent(symbol, scene) >= self._stale_after_seconds(symbol, scene)

    def _seconds_silent(self, symbol: str, scene: FreshnessInput) -> float:
        return scene.at - self._silent_since.get(symbol, scene.at)

    def _stale_after_seconds(self, symbol: str, scene: FreshnessInput) -> float:
        """Return the seconds of silence that make a symbol stale; infinite for a symbol that is not liquid."""
        activity = self._activity.get(symbol, 0.0)
        if activity * _LIQUID_SECONDS < OBSERVATION_SECONDS:
            return math.inf
        return self._at_least_three_intervals(max(_STALE_SECONDS, _PACES * OBSERVATION_SECONDS / activity), scene)

    def _at_least_three_intervals(self, seconds: float, scene: FreshnessInput) -> float:
        return max(seconds, _INTERVALS * scene.interval_seconds)


class SilenceReactionLimiter:
    """Schedules reactions to a silent connection: the first immediately, then at growing intervals until a tick."""

    def __init__(self, first_seconds: float = 300.0, most_seconds: float = 3600.0) -> None:
        self._first = first_seconds
        self._most = most_seconds
        self._wait = first_seconds
        self._not_before = -math.inf

    def try_acquire(self, mute: bool, heard: bool, at: float) -> bool:
        """Return True if it is time to act. A True result counts as done."""
        if heard:
            self._wait = self._first
        if not mute or at < self._not_before:
            return False
        self._not_before = at + self._wait
        self._wait = min(self._most, 2 * self._wait)
        return True
