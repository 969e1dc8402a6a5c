"""The state of the stream, which connections report to, with its subscriptions, failures and gaps."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime

from sluice_contract.status import GapCause, StreamFailure, StreamState, StreamStatus
from sluice_contract.symbol_counts import SymbolRejection

from ..aio.latest_value import LatestValue
from ..domain.clock_skew import ClockReading
from ..domain.counters import increment
from ..domain.desired import Desired
from ..domain.failure import Impairment, StreamError
from ..domain.failure_state import FailureState
from ..domain.gap_ledger import GapLedger
from ..domain.gaps import gap_cause_of_failure
from ..domain.health import CredentialsState, PauseAcknowledgement
from ..domain.ledger import SubscriptionLedger
from ..domain.market import Bar, Halt, Tick, TradeEvent
from ..domain.market_snapshot import MarketSnapshot
from .instruments import Instruments
from .market_data import MarketData
from .stream_history import StreamHistory

_log = logging.getLogger(__name__)
_STREAM = {"event_type": "stream"}


class StreamListener:
    """The Listener of all connections. It passes market data on, and records what happens to the stream."""

    def __init__(
        self, desired: LatestValue[Desired], market: MarketData, gaps: GapLedger, instruments: Instruments
    ) -> None:
        self.state: StreamState = "Stopped"
        self.batches = 0  # of quotes
        self.ledger = SubscriptionLedger()  # of the open connection
        self.history = StreamHistory()
        self.acknowledgement: PauseAcknowledgement | None = None
        self.socket_closed_at: datetime | None = None  # None while the job streams
        self.credentials: CredentialsState | None = None
        self.failure_count = LatestValue(0)  # since the process started
        self._desired = desired
        # Each attribute of its own, so that a batch needs one lookup.
        self._coalescer = market.coalescer
        self._last_values = market.last_values
        self._activity = market.activity
        self._quote_states = market.quote_states
        self._gaps = gaps
        self._now = instruments.now
        self._counters = instruments.counters
        self._transitions = instruments.transitions
        self._latencies = instruments.measurements.quotes
        self._pause_times = instruments.measurements.pauses
        self._state_times = instruments.measurements.states
        self._failures = FailureState()
        self._impairment: Impairment | None = None
        self._is_subscribed = False  # on the open connection
        self._state_times.enter_state(self.state, self._now())

    @property
    def confirmed_symbols(self) -> frozenset[str]:
        """The symbols that the provider has confirmed on the open connection."""
        return self.ledger.confirmed

    @property
    def failure(self) -> StreamFailure | None:
        """The failure that keeps the stream from being live; None if there is none, or while the job is paused."""
        return self._unless_denial_is_over(self._failures.current)

    @property
    def unresolved_failure(self) -> StreamFailure | None:
        """The last failure that is not known to be over. It is kept while the job is paused."""
        return self._unless_denial_is_over(self._failures.unresolved)

    def on_state(self, state: StreamState) -> None:
        """Record a new state of the stream, including states without a connection, such as Paused or BackingOff."""
        if state == "Live":
            self._is_subscribed = True
            if self._impairment is not None and self._impairment.interrupts_quotes:
                state = "BackingOff"
        if state == self.state:
            return
        _log.info("stream is %s", state, extra={"event_type": "stream", "state": state, "was": self.state})
        self.state, now = state, self._now()
        self._state_times.enter_state(state, now)
        self.history.record_state(state, now, self._desired.value.pause, self._failures.current)
        if state != "Paused":
            self.acknowledgement = None
        if state == "Live":
            self._record_begin_of_stream(now)
        if state in ("Live", "Finished", "Blocked", "BackingOff"):
            self._transitions.signal()

    def on_ticks(self, ticks: Sequence[Tick]) -> None:
        """Pass one batch of ticks to the coalescer. The first quote is reported immediately."""
        now, at = self._now(), self._monotonic()
        limit = self._activity.record_batch("quotes", ticks, now, at)
        self.batches += 1
        is_first = self._coalescer.last is None
        self._coalescer.queue_newest_ticks(ticks, limit)
        if at >= self._latencies.next_sample_at and ticks:
            self._latencies.sample_received(ticks[-1].ts, now, at, self._coalescer.received)
        if is_first and self._coalescer.last is not None:
            self._transitions.signal()

    def apply_market_snapshot(self, latest: MarketSnapshot) -> int:
        """Apply a market snapshot, and return the number of its quotes that are newer than those from the stream."""
        horizon = self._activity.record_snapshot(latest, self._monotonic())
        self._last_values.record_snapshot_trades(latest, horizon)
        self._last_values.record_snapshot_bars(latest.bars, horizon)
        is_first = self._coalescer.last is None
        newer_count = self._coalescer.queue_snapshot_ticks(latest.quotes, horizon)
        if is_first and newer_count:
            self._transitions.signal()
        return newer_count

    def on_trades(self, events: Sequence[TradeEvent]) -> None:
        """Apply one batch of trades, cancellations and corrections."""
        limit = self._activity.record_batch("trades", events, self._now(), self._monotonic())
        self._last_values.record_trades(events, limit)

    def on_halts(self, halts: Sequence[Halt]) -> None:
        """Apply one batch of trading halts and resumptions."""
        self._activity.record_message(self._now(), self._monotonic())
        self._last_values.record_halts(halts)
        self._quote_states.apply_halts(halts)

    def on_bars(self, bars: Sequence[Bar]) -> None:
        """Keep the newest bar of each symbol in one batch."""
        self._activity.record_message(self._now(), self._monotonic())
        self._last_values.record_bars(bars)

    def on_provider_time(self, reading: ClockReading) -> None:
        """Record a statement of the provider's time."""
        self._activity.record_clock_reading(reading)

    def on_acknowledgement(self, confirmed: frozenset[str], rejected: Sequence[SymbolRejection]) -> None:
        """Record the provider's acknowledgement of the subscription, and log symbols that it newly rejects."""
        ledger = SubscriptionLedger(confirmed, tuple(rejected))
        self._gaps.end_symbol_gaps(confirmed & self._desired.value.symbols, self._now())
        if rejections := ledger.new_rejections(self.ledger):
            _log.warning("provider rejects %s", rejections, extra=_STREAM)
        if ledger != self.ledger:
            self.ledger = ledger
            self._transitions.signal()

    def on_impairment(self, impairment: Impairment | None) -> None:
        """Record what the open connection cannot deliver; None if it delivers everything. Missing quotes open a gap."""
        if impairment == self._impairment:
            return
        self._impairment = impairment
        self._failures.resolve()
        if impairment is not None:
            self._failures.record("network", impairment.message, self._now())
            if impairment.interrupts_quotes and self.state == "Live":
                self._begin_gap(self._now(), "disconnect")
        _log.warning(impairment.message if impairment else "the provider has recovered", extra=_STREAM)
        if self._is_subscribed:
            self.on_state("Live")
        self._transitions.signal()

    def on_credentials(self, generation: int, problem: str | None) -> None:
        """Record which credentials are in use."""
        if (state := CredentialsState(generation, problem)) != self.credentials:
            self.credentials = state
            self._transitions.signal()

    def on_socket_closed(self) -> None:
        """Record that the socket is closed, forget its subscriptions, and open a gap if the stream was live."""
        self.socket_closed_at = at = self._now()
        self._impairment, self._is_subscribed = None, False
        self.ledger = SubscriptionLedger()
        self._last_values.mark_unconfirmed(self._activity.provider_time(at, self._monotonic()))
        if self.state == "Live":
            self._begin_gap(at, "pause" if self._desired.value.pause else "disconnect")

    def start_streaming(self) -> None:
        """Record that the job streams: it is not paused any more, even while it waits for documents or a slot."""
        self.socket_closed_at = None
        self.on_state("Connecting")

    def record_failure(self, error: StreamError) -> None:
        """Record that the stream could not be opened, or has failed."""
        increment(self._counters.errors, "create_source" if error.kind == "configuration" else error.kind)
        if error.kind != "policyDenied":  # the stream has not failed, so auto-stop does not count it
            self.failure_count.set(self.failure_count.value + 1)
        _log.warning(error.message, extra={"event_type": "stream", "failure": error.kind})
        self._failures.record(error.kind, error.message, self._now())
        if self.state == "Live":
            self._gaps.set_cause(gap_cause_of_failure(error.kind))

    def inherit_gaps_unless_live(self, predecessor: StreamStatus) -> None:
        """Take over the gaps that the previous process of the job reported, unless this one has been live already.

        A process that was live before it could read the status, with a cached job, keeps its own gaps.
        """
        if self._counters.live_transitions == 0:
            self._gaps.inherit(predecessor)

    def acknowledge_pause(self, last_write_at: datetime | None) -> None:
        """Record that the pause is in effect: the socket is closed, and no quote is written until the pause ends."""
        self._gaps.set_cause("pause")
        now = self._now()
        self._pause_times.acknowledge(now)
        self.acknowledgement = PauseAcknowledgement(
            at=now, socket_closed_at=self.socket_closed_at, last_write_at=last_write_at
        )
        self._failures.keep_for_pause()
        self._transitions.signal()

    def _unless_denial_is_over(self, failure: StreamFailure | None) -> StreamFailure | None:
        """Return the failure; None if a policy denied the job and no longer does."""
        is_over = failure is not None and failure.type == "policyDenied" and not self._desired.value.denied
        return None if is_over else failure

    def _record_begin_of_stream(self, now: datetime) -> None:
        """Record that the stream became live, which ends a gap."""
        if self._impairment is None:
            self._failures.resolve()
        self._counters.count_live_transition()
        self._latencies.begin_stream(now)
        if (gap := self._gaps.end_gap(now, self._desired.value.symbols)) is not None:
            self._counters.count_gap(gap)

    def _begin_gap(self, at: datetime, cause: GapCause) -> None:
        self._gaps.begin_gap(at, cause, self._activity.last_message_at, self._coalescer.last)

    def _monotonic(self) -> float:
        return asyncio.get_running_loop().time()
