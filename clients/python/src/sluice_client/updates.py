"""Quotes while they are usable, and otherwise why they are not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from sluice_client.documents import Heartbeat, Quote, parse_heartbeat, parse_quote
from sluice_client.skew import SkewEstimator
from sluice_client.sources import Event, HeartbeatRead, QuoteRead, ReaderChanged, Source
from sluice_client.verdict import Reader, Verdict, is_live

# Verdicts also change by the passing of time. A timer at the exact moment would be late after the computer has slept.
_RECHECK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Usable:
    """A quote that is live, with a sound price, at the moment at which it is yielded."""

    quote: Quote


@dataclass(frozen=True, slots=True)
class Unusable:
    """A symbol whose quote must not be used until the next Usable of the symbol, and why."""

    symbol: str
    verdict: Verdict


Update = Usable | Unusable


def utc_now() -> datetime:
    """Return the time by this computer's clock."""
    return datetime.now(UTC)


def usable_quotes(
    source: Source,
    symbols: Collection[str],
    *,
    stale_after: float = 30.0,
    clock: Callable[[], datetime] = utc_now,
) -> AsyncGenerator[Update]:
    """Yield each change of the symbols' quotes: Usable, or Unusable once for each new verdict.

    A consumer that is slower than the quotes gets the newest quote of each symbol. Each quote is checked again at the
    moment at which it is yielded. Verdicts are also checked once a second, so a heartbeat that ceases is reported
    without any change of a document. Close the generator to stop listening (`contextlib.aclosing`).

    Raises:
        ValueError: the symbols are not a collection of texts, or none, or the source cannot listen to them.
    """
    if isinstance(symbols, str):
        raise ValueError(f'symbols must be a list, not one text: use ["{symbols}"]')
    wanted = tuple(dict.fromkeys(symbols))
    if not wanted or not all(isinstance(each, str) and each for each in wanted):
        raise ValueError('symbols must name at least one symbol, each as a text, such as ["SPY", "BTC/USD"]')
    return _updates(source, _View(wanted, stale_after), clock)


async def _updates(source: Source, view: _View, clock: Callable[[], datetime]) -> AsyncGenerator[Update]:
    has_changed = asyncio.Event()

    def deliver(event: Event) -> None:
        view.apply(event, clock())
        has_changed.set()

    loop = asyncio.get_running_loop()
    recheck_at = loop.time() + _RECHECK_SECONDS
    subscription = source.subscribe(view.symbols, deliver)
    try:
        while True:
            has_changed.clear()
            if loop.time() >= recheck_at:
                view.recheck_all()
                recheck_at = loop.time() + _RECHECK_SECONDS
            update = view.next_update(clock())
            if update is None:
                await _set_within(has_changed, recheck_at - loop.time())
                continue
            yield update
            await asyncio.sleep(0)  # what happened meanwhile is delivered, even if the consumer never waits
    finally:
        await subscription.close()


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    """Wait until the event is set, at most this long."""
    timer = asyncio.get_running_loop().call_later(seconds, event.set)
    try:
        await event.wait()
    finally:
        timer.cancel()


class _View:
    """What the source has delivered, and what the consumer has been given of it."""

    def __init__(self, symbols: tuple[str, ...], stale_after: float) -> None:
        self.symbols = symbols
        self._heartbeat: Heartbeat | None = None
        self._has_heartbeat = False  # whether the source has said if there is one
        self._quotes: dict[str, Quote | None] = {}
        self._skew = SkewEstimator()
        self._is_first_heartbeat = True  # of a listener; such a one can be old
        self._reader = Reader(stale_after=stale_after)
        self._yielded: dict[str, Update] = {}
        self._to_check: dict[str, None] = {}  # in order; a dict, so that each symbol is in it once

    def apply(self, event: Event, now: datetime) -> None:
        """Record what the source delivers."""
        match event:
            case QuoteRead(symbol, document):
                self._quotes[symbol] = parse_quote(document, symbol)
                self._to_check[symbol] = None
            case HeartbeatRead(document):
                self._heartbeat = parse_heartbeat(document)
                self._has_heartbeat = True
                if self._heartbeat is not None:
                    self._skew.observe(self._heartbeat, now, is_first=self._is_first_heartbeat)
                    self._is_first_heartbeat = False
                self._set_reader(self._reader.is_signed_in, self._reader.is_connected)
            case ReaderChanged(is_signed_in, is_connected):
                self._is_first_heartbeat |= not (is_signed_in and is_connected)
                self._set_reader(is_signed_in, is_connected)

    def recheck_all(self) -> None:
        """Check each symbol again, in the order in which they wait already."""
        self._to_check.update(dict.fromkeys(self.symbols))

    def next_update(self, now: datetime) -> Update | None:
        """Return what has changed since the consumer was given something about a symbol."""
        while self._to_check:
            symbol = next(iter(self._to_check))
            del self._to_check[symbol]
            update = self._update(symbol, now)
            if update is not None and update != self._yielded.get(symbol):
                self._yielded[symbol] = update
                return update
        return None

    def _update(self, symbol: str, now: datetime) -> Update | None:
        can_read = self._reader.is_signed_in and self._reader.is_connected
        if can_read and not (self._has_heartbeat and symbol in self._quotes):
            return None  # the source has not answered yet
        quote = self._quotes.get(symbol)
        verdict = is_live(quote, self._heartbeat, now, self._reader)
        return Usable(quote) if verdict.usable and quote is not None else Unusable(symbol, verdict)

    def _set_reader(self, is_signed_in: bool, is_connected: bool) -> None:
        self._reader = Reader(
            skew=self._skew.skew(),
            stale_after=self._reader.stale_after,
            is_signed_in=is_signed_in,
            is_connected=is_connected,
        )
        self.recheck_all()
