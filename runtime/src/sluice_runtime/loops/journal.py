"""The runtime's shared state: connections and loops write to it, and status snapshots are built from it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from sluice_contract.documents import QuoteState
from sluice_contract.status import ConnectionSlotStatus, GapCause, PreflightResult, StreamState
from sluice_contract.symbol_counts import SymbolRejection

from ..domain.clock_skew import ClockReading
from ..domain.coalescer import Coalescer
from ..domain.counters import increment
from ..domain.desired import Desired
from ..domain.failure import Impairment, StreamError
from ..domain.failure_state import FailureState
from ..domain.freshness import FreshnessView, apply_halts
from ..domain.gap_ledger import GapLedger
from ..domain.gaps import gap_cause_of_failure
from ..domain.health import CredentialsState, PauseAcknowledgement, RuntimeIdentity, RuntimeSnapshot
from ..domain.last_values import LastValues
from ..domain.ledger import SubscriptionLedger
from ..domain.market import Bar, Halt, Tick, TradeEvent
from ..domain.market_snapshot import MarketSnapshot
from ..domain.newest_quotes import NewestQuotes
from ..domain.published_documents import PublishedDocuments
from ..domain.sink_health import SinkHealth
from ..domain.stream_activity import StreamActivity
from .document_ownership import DocumentOwnership
from .latest_value import LatestValue
from .silent_connections import SilentConnections
from .switch_states import SwitchStates

_log = logging.getLogger(__name__)
_STREAM = {"event_type": "stream"}


class Journal(SwitchStates):
    """The state of the runtime, shared by all loops. `transitions` counts the changes that are reported immediately."""

    def __init__(
        self,
        identity: RuntimeIdentity,
        desired: LatestValue[Desired],
        coalescer: Coalescer,
        now: Callable[[], datetime],
        activity: StreamActivity | None = None,
    ) -> None:
        super().__init__()
        self.identity = identity
        self.desired = desired
        self.coalescer = coalescer
        self.now = now
        self.activity = activity or StreamActivity()
        self.transitions = LatestValue(0)
        self.failures = LatestValue(0)  # of the stream, since the process started
        self.state: StreamState = "Stopped"
        self.feed: str | None = None  # the name of the source, such as alpaca:iex
        self.stopping = False
        self.loop_tick_at = now()
        self.last_write_at: datetime | None = None
        self.socket_closed_at: datetime | None = None
        self.last_values = LastValues(self.counters.unknown_trade_conditions)
        self.documents = PublishedDocuments()
        self.quotes = NewestQuotes(coalescer, self.documents, self.last_values)
        self.inherited: set[str] = set()  # symbols for which an earlier process of this job may have left documents
        self.deleted: set[str] = set()  # removed symbols whose documents have been deleted
        self.needs_snapshot: set[str] = set()  # symbols added, or with other channels, since the last snapshot
        self.quote_states: dict[str, QuoteState] = {}  # only symbols whose quote document must not say "live"
        self.freshness: FreshnessView | None = None  # set by the freshness monitor
        self.gaps = GapLedger(identity.started_at)
        self.slot: ConnectionSlotStatus | None = None
        self.ownership = DocumentOwnership(desired, now, self.signal_transition)
        self.silent_connections = SilentConnections()
        self.sink_health = SinkHealth()
        self._ledger = SubscriptionLedger()
        self._acknowledgement: PauseAcknowledgement | None = None
        self._failures = FailureState()
        self._impairment: Impairment | None = None
        self._credentials: CredentialsState | None = None
        self._is_subscribed = False  # on the open connection
        self.preflight: PreflightResult | None = None
        self._set_accepted_symbols(desired.value)

    def set_desired(self, desired: Desired) -> None:
        """Set the desired state of all loops, and forget symbols that are no longer declared."""
        before = self.desired.value
        unchanged = before.symbols if desired.channels == before.channels else frozenset[str]()
        self.needs_snapshot = (self.needs_snapshot | (desired.symbols - unchanged)) & desired.symbols
        self._set_accepted_symbols(desired)
        self.gaps.follow_pauses(desired, self.now())
        self.desired.set(desired)

    def on_state(self, state: StreamState) -> None:
        """Record a new phase of the stream, including phases without a connection, such as Paused or BackingOff."""
        if state == "Live":
            self._is_subscribed = True
            if self._impairment is not None and self._impairment.interrupts_quotes:
                state = "BackingOff"
        if state == self.state:
            return
        _log.info("stream is %s", state, extra={"event_type": "stream", "state": state, "was": self.state})
        self.state = state
        if state != "Paused":
            self._acknowledgement = None
        if state == "Live":
            if self._impairment is None:
                self._failures.resolve()
            self.counters.live_transitions += 1
            self.gaps.end_gap(self.now(), self.desired.value.symbols)
        if state in ("Live", "Finished", "Blocked", "BackingOff"):
            self.signal_transition()

    def on_ticks(self, ticks: Sequence[Tick]) -> None:
        """Pass one batch of ticks to the coalescer."""
        limit = self.activity.record_batch("quotes", ticks, self.now(), self._monotonic())
        self.counters.batches += 1
        is_first = self.coalescer.last is None
        self.coalescer.queue_newest_ticks(ticks, limit)
        if is_first and self.coalescer.last is not None:
            self.signal_transition()

    def apply_market_snapshot(self, latest: MarketSnapshot) -> int:
        """Apply a market snapshot, and return the number of its quotes that are newer than those from the stream."""
        horizon = self.activity.record_snapshot(latest, self._monotonic())
        self.last_values.record_snapshot_trades(latest, horizon)
        self.last_values.record_snapshot_bars(latest.bars, horizon)
        is_first = self.coalescer.last is None
        learnt = self.coalescer.queue_snapshot_ticks(latest.quotes, horizon)
        if is_first and learnt:
            self.signal_transition()
        return learnt

    def on_trades(self, events: Sequence[TradeEvent]) -> None:
        """Apply one batch of trades, cancellations and corrections."""
        limit = self.activity.record_batch("trades", events, self.now(), self._monotonic())
        self.last_values.record_trades(events, limit)

    def on_halts(self, halts: Sequence[Halt]) -> None:
        """Apply one batch of trading halts and resumptions."""
        self.activity.record_message(self.now(), self._monotonic())
        self.last_values.record_halts(halts)
        apply_halts(self.quote_states, halts)

    def on_bars(self, bars: Sequence[Bar]) -> None:
        """Keep the newest bar of each symbol in one batch."""
        self.activity.record_message(self.now(), self._monotonic())
        self.last_values.record_bars(bars)

    def on_provider_time(self, reading: ClockReading) -> None:
        """Record a statement of the provider's time."""
        self.activity.record_clock_reading(reading)

    def on_acknowledgement(self, confirmed: frozenset[str], rejected: Sequence[SymbolRejection]) -> None:
        """Record the provider's acknowledgement of the subscription, and log symbols that it newly rejects."""
        ledger = SubscriptionLedger(confirmed, tuple(rejected))
        self.gaps.end_symbol_gaps(confirmed & self.desired.value.symbols, self.now())
        if rejections := ledger.new_rejections(self._ledger):
            _log.warning("provider rejects %s", rejections, extra=_STREAM)
        if ledger != self._ledger:
            self._ledger = ledger
            self.signal_transition()

    def on_impairment(self, impairment: Impairment | None) -> None:
        """Record what the open connection cannot deliver; None if it delivers everything. Missing quotes open a gap."""
        if impairment == self._impairment:
            return
        self._impairment = impairment
        self._failures.resolve()
        if impairment is not None:
            self._failures.record("network", impairment.message, self.now())
            if impairment.interrupts_quotes and self.state == "Live":
                self.gaps.begin_gap(self.now(), "disconnect", self.activity.last_message_at, self.coalescer.last)
        _log.warning(impairment.message if impairment else "the provider has recovered", extra=_STREAM)
        if self._is_subscribed:
            self.on_state("Live")
        self.signal_transition()

    def on_credentials(self, generation: int, problem: str | None) -> None:
        """Record which credentials are in use."""
        if (state := CredentialsState(generation, problem)) != self._credentials:
            self._credentials = state
            self.signal_transition()

    def on_socket_closed(self) -> None:
        """Record that the socket is closed, forget its subscriptions, and open a gap if the stream was live."""
        self.socket_closed_at = self.now()
        self._impairment, self._is_subscribed = None, False
        self._ledger = SubscriptionLedger()
        self.last_values.mark_unconfirmed(self.provider_now())
        if self.state == "Live":
            cause: GapCause = "pause" if self.desired.value.pause else "disconnect"
            self.gaps.begin_gap(self.socket_closed_at, cause, self.activity.last_message_at, self.coalescer.last)

    def record_stream_failure(self, error: StreamError) -> None:
        """Record that the stream could not be opened, or has failed."""
        increment(self.counters.errors, "create_source" if error.kind == "configuration" else error.kind)
        self.failures.set(self.failures.value + 1)
        _log.warning(error.message, extra={"event_type": "stream", "failure": error.kind})
        self._failures.record(error.kind, error.message, self.now())
        if self.state == "Live":
            self.gaps.set_cause(gap_cause_of_failure(error.kind))

    @property
    def confirmed_symbols(self) -> frozenset[str]:
        """The symbols that the provider has confirmed on the open connection."""
        return self._ledger.confirmed

    def status_for_quote_document(self, symbol: str) -> QuoteState:
        """Return the status to write in a symbol's quote document.

        A symbol that has ticked since the last freshness check is live, not stale.
        """
        state = self.quote_states.get(symbol, "live")
        return "live" if state == "stale" and self.coalescer.has_tick_since_last_check(symbol) else state

    def acknowledge_pause(self) -> None:
        """Record that the pause is in effect: the socket is closed, and no quote is written until the pause ends."""
        self.gaps.set_cause("pause")
        self._acknowledgement = PauseAcknowledgement(
            at=self.now(), socket_closed_at=self.socket_closed_at, last_write_at=self.last_write_at
        )
        self._failures.keep_for_pause()
        for write_kind in ("quotes", "documents"):  # failed writes were dropped, or wait until the pause ends
            self.record_sink_result(write_kind, None)
        self.signal_transition()

    def record_quote_writes(self, count: int) -> None:
        """Record that Firestore acknowledged the write of `count` quote documents."""
        self.counters.writes += count
        first, self.last_write_at = self.last_write_at is None, self.now()
        self.record_sink_result("quotes", None)
        if first:
            self.signal_transition()

    def record_sink_result(self, write_kind: str, failure: str | None) -> None:
        """Record the result of the last write of one kind; `failure` is None after a success.

        `write_kind` is quotes, documents, records or heartbeat. A first failure and a recovery are logged and reported.
        """
        if self.sink_health.record_result(write_kind, failure, self.now()):
            text = f"{write_kind} not written: {failure}" if failure else f"Firestore writes recovered: {write_kind}"
            _log.warning(text, extra={"event_type": "firestore_write"})
            self.signal_transition()

    def signal_transition(self) -> None:
        """Trigger an immediate heartbeat and status report."""
        self.transitions.set(self.transitions.value + 1)

    def provider_now(self) -> datetime:
        """Return the provider's time: this node's, corrected by the measured skew."""
        return self.activity.provider_time(self.now(), self._monotonic())

    @property
    def clock_skew_seconds(self) -> float | None:
        """How far this node's clock is ahead of the provider's; None while unknown."""
        return self.activity.clock_skew.skew_seconds(self.now(), self._monotonic())

    def _monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def _set_accepted_symbols(self, desired: Desired) -> None:
        self.coalescer.set_wanted_symbols(desired.symbols, desired.declared)
        self.last_values.set_kept_symbols(desired.declared, desired.symbols, desired.channels)

    def snapshot(self) -> RuntimeSnapshot:
        """Return the state of the runtime at this instant."""
        last, sink_failure = self.coalescer.last, self.sink_health.first_failure
        return RuntimeSnapshot(
            identity=self.identity,
            at=self.now(),
            desired=self.desired.value,
            state=self.state,
            ledger=self._ledger,
            clocks=self.activity.to_activity_times(self.loop_tick_at, last.ts if last else None, self.last_write_at),
            last_symbol=last.symbol if last else None,
            clock_skew_seconds=self.clock_skew_seconds,
            acknowledgement=self._acknowledgement,
            failure=self._failures.current,
            unresolved_failure=self._failures.unresolved,
            preflight=self.preflight,
            sink_failure=sink_failure.message if sink_failure else None,
            sink_failing_since=sink_failure.at if sink_failure else None,
            stopping=self.stopping,
            feed=self.feed,
            freshness=self.freshness.summarize() if self.freshness else None,
            gaps=self.gaps.closed_gaps,
            open_gap=self.gaps.open_gap,
            slot=self.slot,
            document_conflict=self.ownership.conflict.value,
            credentials=self._credentials,
        )
