"""Composes the parts of the runtime's state, and builds snapshots of it. Loops get the parts, not the whole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from ..aio.latest_value import LatestValue
from ..domain.coalescer import Coalescer
from ..domain.desired import Desired
from ..domain.gap_ledger import GapLedger
from ..domain.health import RuntimeIdentity, RuntimeSnapshot
from ..domain.last_values import LastValues
from ..domain.newest_quotes import NewestQuotes
from ..domain.published_documents import PublishedDocuments
from ..domain.stream_activity import StreamActivity
from .connection_slot import ConnectionSlotState
from .desired_state import DesiredStateUpdater
from .destination_health import DestinationHealths
from .document_ownership import DocumentOwnership
from .freshness_state import FreshnessState
from .instruments import Instruments
from .market_data import MarketData
from .open_connection import OpenConnection
from .pause_states import PauseStates
from .process_state import ProcessState
from .quote_states import QuoteStates
from .silent_connections import SilentConnections
from .sink_health import SinkHealth
from .stream_state import StreamListener
from .switch_states import SwitchStates
from .symbols import RemovedSymbols, SymbolsAwaitingSnapshot
from .write_budget import DailyWriteBudget


class RuntimeState:
    """All parts of the state of one process."""

    def __init__(
        self,
        identity: RuntimeIdentity,
        desired: LatestValue[Desired],
        coalescer: Coalescer,
        now: Callable[[], datetime],
        activity: StreamActivity | None = None,
    ) -> None:
        self.instruments = instruments = Instruments(now)
        self.now, self.counters, self.transitions = now, instruments.counters, instruments.transitions
        self.process = ProcessState(identity, instruments)
        self.desired = desired
        self.switches = SwitchStates(self.counters)
        self.pauses = PauseStates(self.switches.record_switch_failure)
        self.market = MarketData(
            coalescer,
            LastValues(self.counters.unknown_trade_conditions),
            activity or StreamActivity(),
            QuoteStates(coalescer),
        )
        self.gaps = GapLedger(identity.started_at)
        self.stream = StreamListener(desired, self.market, self.gaps, instruments)
        self.connection = OpenConnection()
        self.silent_connections = SilentConnections()
        self.slot = ConnectionSlotState(self.transitions)
        self.documents = PublishedDocuments()
        self.quotes = NewestQuotes(coalescer, self.documents, self.market.last_values)
        self.removed_symbols = RemovedSymbols()
        self.awaiting_snapshot = SymbolsAwaitingSnapshot()
        self.ownership = DocumentOwnership(desired, now, self.transitions.signal)
        self.sink_health = SinkHealth(instruments)
        self.write_budget = DailyWriteBudget(desired, now)
        self.destination_healths = DestinationHealths(instruments)
        self.freshness = FreshnessState()
        self.updater = DesiredStateUpdater(desired, self.market, self.gaps, self.awaiting_snapshot, instruments)

    def snapshot(self) -> RuntimeSnapshot:
        """Return the state of the runtime at this instant, with the newest summary of its freshness."""
        process, stream, activity = self.process, self.stream, self.market.activity
        now, last, sink_failure = self.now(), self.market.coalescer.last, self.sink_health.first_failure
        return RuntimeSnapshot(
            identity=process.identity,
            at=now,
            desired=self.desired.value,
            state=stream.state,
            ledger=stream.ledger,
            clocks=activity.to_activity_times(
                process.loop_tick_at, last.ts if last else None, self.sink_health.last_write_at
            ),
            last_symbol=last.symbol if last else None,
            clock_skew_seconds=activity.clock_skew.skew_seconds(now, asyncio.get_running_loop().time()),
            acknowledgement=stream.acknowledgement,
            failure=stream.failure,
            unresolved_failure=stream.unresolved_failure,
            preflight=process.preflight,
            sink_failure=sink_failure.message if sink_failure else None,
            sink_failing_since=sink_failure.at if sink_failure else None,
            writes_last_minute=self.sink_health.quote_writes_of_last_minute(),
            stopping=process.is_stopping,
            feed=process.feed,
            freshness=self.freshness.summary,
            gaps=self.gaps.closed_gaps,
            open_gap=self.gaps.open_gap,
            slot=self.slot.status,
            document_conflict=self.ownership.conflict.value,
            credentials=stream.credentials,
            history=stream.history.changes,
            writes=self.write_budget.account(),
        )
