"""Everything that the loops find out, kept in one place: the listener of connections and the maker of snapshots."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sluice_contract.documents import QuoteState
from sluice_contract.status import (
    ConnectionSlot,
    GapCause,
    Preflight,
    StreamFailure,
    StreamState,
    SymbolFreshness,
    SymbolRejection,
)

from ..domain.coalescer import Coalescer
from ..domain.counters import Counters, count
from ..domain.desired import Desired
from ..domain.failure import Impairment, StreamError
from ..domain.gaps import Gaps, failure_cause
from ..domain.health import Acknowledgement, Clocks, Identity, RuntimeSnapshot
from ..domain.last_values import LastValues
from ..domain.ledger import Ledger
from ..domain.market import Bar, Halt, Tick, Trade
from ..domain.market_snapshot import MarketSnapshot
from ..domain.pause import Switch
from .latest_value import LatestValue

_log = logging.getLogger(__name__)

# How far a provider's clock may run ahead of ours before its stamps stop counting.
SKEW = timedelta(seconds=5)
_REJECTIONS_TOLD = 20  # of those that came together
_STREAM = {"event_type": "stream"}
_FIRESTORE_WRITE = {"event_type": "firestore_write"}


class Journal:
    """What is known now. `transitions` counts what consumers should hear of at once."""

    def __init__(
        self, identity: Identity, desired: LatestValue[Desired], coalescer: Coalescer, now: Callable[[], datetime]
    ) -> None:
        self.identity = identity
        self.desired = desired
        self.coalescer = coalescer
        self.now = now
        self.counters = Counters()
        self.transitions = LatestValue(0)
        self.failures = LatestValue(0)  # of the stream, since the start
        self.switches: LatestValue[tuple[Switch, ...]] = LatestValue(())  # those beside the job's own
        self.state: StreamState = "Stopped"
        self.stopping = False
        self.loop_tick_at = now()
        self.last_message_at: datetime | None = None
        self._has_quotes = False
        self.last_write_at: datetime | None = None
        self.socket_closed_at: datetime | None = None
        self.last_values = LastValues()
        self.inherited: set[str] = set()  # symbols of which an earlier process of this job may have left documents
        self.deleted: set[str] = set()  # removed symbols whose documents are gone
        self.needs_snapshot: set[str] = set()  # symbols of which more is asked for than when somebody last looked here
        self.quote_states: dict[str, QuoteState] = {}  # of symbols whose quote document shall not say live
        self.count_freshness: Callable[[], SymbolFreshness] | None = None  # once somebody judges it
        self.gaps = Gaps()
        self.slot: ConnectionSlot | None = None
        self.mutes = LatestValue(0)  # how often the connection was found to be mute
        self._sink_failures: dict[str, str] = {}
        self._ledger = Ledger()
        self._acknowledgement: Acknowledgement | None = None
        self._failure: StreamFailure | None = None
        self._impairment: Impairment | None = None
        self._is_subscribed = False  # on the connection that is open
        self.preflight: Preflight | None = None
        self._keep(desired.value)

    def set_desired(self, desired: Desired) -> None:
        """Sets what all loops aim at, and forgets what nobody asks for any more."""
        before = self.desired.value
        self.needs_snapshot |= (
            desired.symbols if desired.channels != before.channels else desired.symbols - before.symbols
        )
        self.needs_snapshot &= desired.symbols
        self._keep(desired)
        self.desired.set(desired)

    # Listener: what connections tell

    def entered(self, state: StreamState) -> None:
        """The connection, or the want of one, is in a new phase."""
        if state == "Live":
            self._is_subscribed = True
            if self._impairment is not None and self._impairment.interrupts:
                state = "BackingOff"
        if state == self.state:
            return
        _log.info("stream is %s", state, extra={"event_type": "stream", "state": state, "was": self.state})
        self.state = state
        if state != "Paused":
            self._acknowledgement = None
        if state == "Live":
            self._failure = self._failure if self._impairment is not None else None
            self.counters.starts += 1
            self.gaps = self.gaps.ended(self.now())
        if state in ("Live", "Finished", "Blocked", "BackingOff"):
            self.transition()

    def received(self, ticks: Sequence[Tick]) -> None:
        """Ticks that came together."""
        self.last_message_at = now = self.now()
        self.counters.batches += 1
        self.coalescer.accept(ticks, now + SKEW)
        if not self._has_quotes and self.coalescer.last is not None:
            self._has_quotes = True
            self.transition()

    def caught_up(self, latest: MarketSnapshot) -> int:
        """What was asked beside the stream. Returns how many quotes of it are newer than what the stream has said."""
        horizon = self.now() + SKEW
        self.last_values.learn(latest.trades, horizon)
        learnt = self.coalescer.learn(latest.quotes, horizon)
        if learnt and not self._has_quotes:
            self._has_quotes = True
            self.transition()
        return learnt

    def traded(self, trades: Sequence[Trade]) -> None:
        """Trades that came together."""
        self.last_message_at = now = self.now()
        self.last_values.traded(trades, now + SKEW)

    def halted(self, halts: Sequence[Halt]) -> None:
        """Halts and resumptions that came together."""
        self.last_message_at = self.now()
        self.last_values.halted(halts)
        for halt in halts:
            if halt.halted:
                self.quote_states[halt.symbol] = "halted"
            elif self.quote_states.get(halt.symbol) == "halted":
                del self.quote_states[halt.symbol]

    def aggregated(self, bars: Sequence[Bar]) -> None:
        """Bars that came together."""
        self.last_message_at = self.now()
        self.last_values.aggregated(bars)

    def acknowledged(self, confirmed: frozenset[str], rejected: Sequence[SymbolRejection]) -> None:
        """The provider's word on what is subscribed."""
        ledger = Ledger(confirmed, tuple(rejected))
        known = frozenset(self._ledger.rejected)
        if new := [each for each in ledger.rejected if each not in known]:
            told = ", ".join(f"{each.symbol} ({each.message})" for each in new[:_REJECTIONS_TOLD])
            _log.warning("%d symbols are rejected: %s", len(new), told, extra=_STREAM)
        if ledger != self._ledger:
            self._ledger = ledger
            self.transition()

    def set_impairment(self, impairment: Impairment | None) -> None:
        """What the open connection cannot bring. Where quotes are among it, that is a gap."""
        if impairment == self._impairment:
            return
        self._impairment, self._failure = impairment, None
        if impairment is not None:
            self._failure = StreamFailure(type="network", message=impairment.message, at=self.now())
            if impairment.interrupts and self.state == "Live":
                self.gaps = self.gaps.opened(self.now(), "disconnect")
        _log.warning(impairment.message if impairment else "the provider's faults are over", extra=_STREAM)
        if self._is_subscribed:
            self.entered("Live")
        self.transition()

    def closed(self) -> None:
        """The socket is closed."""
        self.socket_closed_at = self.now()
        self._impairment, self._is_subscribed = None, False
        self._ledger = Ledger()
        self.last_values.connection_closed(self.socket_closed_at)
        if self.state == "Live":
            cause: GapCause = "pause" if self.desired.value.pause else "disconnect"
            self.gaps = self.gaps.opened(self.socket_closed_at, cause)

    # What the loops find out

    def failed(self, error: StreamError) -> None:
        """The stream cannot be had, or has ended."""
        count(self.counters.errors, "create_source" if error.kind == "configuration" else error.kind)
        self.failures.set(self.failures.value + 1)
        _log.warning(error.message, extra={"event_type": "stream", "failure": error.kind})
        self._failure = StreamFailure(type=error.kind, message=error.message, at=self.now())
        if self.state == "Live":
            self.gaps = self.gaps.explained(failure_cause(error.kind))

    def mute_found(self) -> None:
        """The connection is open and silent, although its market is open."""
        self.mutes.set(self.mutes.value + 1)

    @property
    def confirmed(self) -> frozenset[str]:
        """What the provider has confirmed on the connection that is open."""
        return self._ledger.confirmed

    def quote_state(self, symbol: str) -> QuoteState:
        """What the document of a symbol that is streamed shall say. Who was heard since it was judged is not stale."""
        state = self.quote_states.get(symbol, "live")
        return "live" if state == "stale" and self.coalescer.was_heard(symbol) else state

    def pause_acknowledged(self) -> None:
        """Closed and flushed: from now on nothing is written."""
        self._acknowledgement = Acknowledgement(
            at=self.now(), socket_closed_at=self.socket_closed_at, last_write_at=self.last_write_at
        )
        self._failure = None
        for what in ("quotes", "documents"):  # what could not be written was dropped, or waits for the resumption
            self.sink_is(what, None)
        self.gaps = self.gaps.explained("pause")
        self.transition()

    def wrote(self, quotes: int) -> None:
        """Firestore acknowledged quote writes."""
        self.counters.writes += quotes
        first, self.last_write_at = self.last_write_at is None, self.now()
        self.sink_is("quotes", None)
        if first:
            self.transition()

    def sink_is(self, what: str, failure: str | None) -> None:
        """How the last write of `what` (quotes, documents, records, heartbeat) went: None for well, else a sentence."""
        failed_before = what in self._sink_failures
        if failure is not None:
            self._sink_failures[what] = failure
        elif failed_before:
            del self._sink_failures[what]
        if failed_before != (failure is not None):
            _log.warning("%s: %s", what, failure or "no write fails any more", extra=_FIRESTORE_WRITE)
            self.transition()

    def sink_fails(self, what: str) -> bool:
        """Whether the last write of `what` to Firestore failed."""
        return what in self._sink_failures

    def switched(self, switch: Switch) -> None:
        """A switch beside the job's own says something."""
        known = {each.source: each for each in self.switches.value} | {switch.source: switch}
        self.switches.set(tuple(each for each in known.values() if each.pauses))

    def check_failed(self, message: str) -> None:
        """A switch cannot be read: what it said last stands."""
        count(self.counters.errors, "pause_check")
        _log.warning("PAUSE_CHECK_FAILED: %s", message, extra={"event_type": "PAUSE_CHECK_FAILED"})

    def transition(self) -> None:
        """Something happened that consumers should hear of at once."""
        self.transitions.set(self.transitions.value + 1)

    def _keep(self, desired: Desired) -> None:
        self.coalescer.want(desired.symbols, desired.declared)
        self.last_values.keep(desired.declared, desired.symbols, desired.channels)

    def snapshot(self) -> RuntimeSnapshot:
        """Everything that is known, at this instant."""
        last = self.coalescer.last
        return RuntimeSnapshot(
            identity=self.identity,
            at=self.now(),
            desired=self.desired.value,
            state=self.state,
            ledger=self._ledger,
            clocks=Clocks(
                loop_tick_at=self.loop_tick_at,
                last_message_at=self.last_message_at,
                last_quote_ts=last.ts if last else None,
                last_write_at=self.last_write_at,
            ),
            last_symbol=last.symbol if last else None,
            acknowledgement=self._acknowledgement,
            failure=self._failure,
            preflight=self.preflight,
            sink_failure=next(iter(self._sink_failures.values()), None),
            stopping=self.stopping,
            freshness=self.count_freshness() if self.count_freshness else None,
            gaps=self.gaps.closed,
            slot=self.slot,
        )
