"""Snapshots of the runtime, to render the status and the heartbeat from."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sluice_contract.pause_status import PauseSource
from sluice_contract.status import StreamFailure, StreamGap, StreamState
from sluice_contract.status_values import LARGEST
from sluice_contract.stream_parts import StateChange
from sluice_contract.symbol_counts import FreshnessCounts, SymbolRejection
from sluice_runtime.domain.desired import with_pause
from sluice_runtime.domain.freshness import FreshnessSummary
from sluice_runtime.domain.gaps import OpenGap
from sluice_runtime.domain.health import ActivityTimes, CredentialsState, RuntimeIdentity, RuntimeSnapshot
from sluice_runtime.domain.ledger import SubscriptionLedger
from sluice_runtime.domain.market_hours import MarketState
from sluice_runtime.domain.pause import PauseInForce
from sluice_runtime.domain.write_budget import WriteAccount
from support.runtime_fakes import desired, identity
from support.virtual_time import START

LATER = START + timedelta(seconds=9)
LONG = "\N{EURO SIGN}" * 5000  # three bytes each


def snapshot(state: StreamState = "Live", **changes: Any) -> RuntimeSnapshot:
    """Return a snapshot of a job with two confirmed symbols, with other values for some fields."""
    fields: dict[str, Any] = {
        "identity": identity(),
        "at": LATER,
        "desired": desired(),
        "state": state,
        "ledger": SubscriptionLedger(frozenset({"AAPL", "MSFT"})),
        "clocks": ActivityTimes(loop_tick_at=START),
        "last_symbol": None,
        "acknowledgement": None,
        "failure": None,
        "sink_failure": None,
        "stopping": False,
    }
    return RuntimeSnapshot(**(fields | changes))


def largest_snapshot(state: StreamState = "Paused") -> RuntimeSnapshot:
    """Return a snapshot of a job with 2,000 symbols, in which every text and every list is as long as it can be."""
    names = [f"SYMBOL{n:05}/LONGCLASS" for n in range(2000)]
    paused = [{"symbol": name, "reason": "r" * 256} for name in names[:100]]
    wanted = desired(
        symbols=names, pausedSymbols=[*paused, *({"symbol": f"UNKNOWN{n:05}/LONGCLAS"} for n in range(100))]
    )
    moment = datetime(2026, 11, 28, 19, 59, 59, 999999, tzinfo=START.tzinfo)
    failure = StreamFailure(type="connectionLimit", message=LONG, at=moment)
    counts = FreshnessCounts(
        live=LARGEST, quiet=LARGEST, stale=LARGEST, closed=LARGEST, halted=LARGEST, paused=LARGEST, unheard=LARGEST
    )
    return snapshot(
        state,
        identity=RuntimeIdentity(
            namespace="n" * 63,
            name="j" * 56,
            job_uid="u" * 36,
            pod_uid="p" * 36,
            tenant="t" * 63,
            provider="alpaca",
            epoch=LARGEST,
            session_id="5" * 32,
            started_at=moment,
        ),
        at=moment,
        desired=with_pause(wanted, _largest_pause(moment)),
        ledger=SubscriptionLedger(
            frozenset(), tuple(SymbolRejection(symbol=name, code=-LARGEST, message=LONG) for name in names[100:])
        ),
        clocks=ActivityTimes(loop_tick_at=moment, last_message_at=moment, last_quote_ts=moment, last_write_at=moment),
        last_symbol=names[0],
        failure=failure,
        unresolved_failure=failure,
        sink_failure=LONG,
        sink_failing_since=moment,
        writes_last_minute=LARGEST,
        feed="alpaca:delayed_sip",
        clock_skew_seconds=-86_400.0,
        freshness=FreshnessSummary(
            session=MarketState("unknown", changes_at=moment),
            counts=counts,
            stale=tuple(names[:20]),
            halted=tuple(names[20:40]),
            unheard=tuple(names[40:60]),
            never_ticked=tuple(names[60:80]),
            never_ticked_count=LARGEST,
            received_count=LARGEST,
        ),
        gaps=tuple(StreamGap(from_=moment, to=moment, cause="disconnect") for _ in range(10)),
        open_gap=OpenGap(moment, "slowClient"),
        credentials=CredentialsState(LARGEST, LONG),
        writes=WriteAccount(
            day=moment.date(), used=LARGEST - 1, resets_at=moment, limit=LARGEST, paced_interval_seconds=90_000.0
        ),
        history=tuple(StateChange(at=moment, state="Authenticating", reason=LONG, message=LONG) for _ in range(10)),
    )


def _largest_pause(moment: datetime) -> PauseInForce:
    other = PauseSource(source=f"pause:{LONG}", reason=LONG, by=LONG, until=moment)
    return PauseInForce(source=f"file:/{LONG}", reason=LONG, until=moment, by=LONG, others=(other,) * 20)
