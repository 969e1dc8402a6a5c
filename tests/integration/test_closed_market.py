"""What a reader is given from a pod whose clock says that the market is closed, through the Firestore emulator."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.cloud import firestore

from sluice_client import Unusable, Update, Usable, usable_quotes
from sluice_client.firestore import FirestoreSource
from sluice_relay.protocol.messages import timestamp
from sluice_simulators.alpaca import Account, AlpacaServer
from sluice_simulators.alpaca.quotes import quote_message
from sluice_simulators.tapes import TapeQuote
from support.alpaca_provider import SECRET, mount, source
from support.deadlines import wait_until, within
from support.eventually import eventually
from support.pod import LIMITS, FirestorePod
from support.runtime_fakes import job
from support.sinks import TENANT, firestore_sink

# Google's client raises the end of a listener in a thread of its own if the server's answer precedes the cancellation.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")

Clock = Callable[[], datetime]

SATURDAY = datetime(2026, 3, 7, 15, 0, tzinfo=UTC)
MONDAY = datetime(2026, 3, 9, 15, 0, tzinfo=UTC)
# Extended hours begin at 4:00 in New York. Daylight saving time begins on the Sunday between.
OPENS_AT = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)


def clock_that_starts_at(moment: datetime) -> Clock:
    """Return a clock that shows this moment now."""
    ahead = moment - datetime.now(UTC)
    return lambda: datetime.now(UTC) + ahead


async def first_update(project: str, credentials: Path, clock: Clock, market: str) -> tuple[Update, dict[str, Any]]:
    """Run a pod, and a reader once the heartbeat shows this market. Return its first update, and the heartbeat.

    Pod and reader have the same clock.
    """
    async with AlpacaServer([Account("key", SECRET)]) as server, firestore_sink(project) as opened:
        server.rest.clock = clock
        pod = FirestorePod(source(server.url(), credentials), opened, clock)
        alpaca = {"streamUrl": server.url(), "credentialsSecretRef": {"name": "alpaca"}}
        often = {"intervalSeconds": 5}
        pod.job.declare(job(1, provider="alpaca", symbols=["SPY"], limits=LIMITS, alpaca=alpaca, heartbeat=often))

        async def is_shown() -> bool:
            heartbeat, quote = await pod.documents.heartbeat(), await pod.documents.quote("SPY")
            if heartbeat is None or quote is None:
                return False
            return (heartbeat["status"], heartbeat["market"]) == ("running", market)

        async with pod.running():
            await wait_until(server.record, lambda record: record.quote_symbols == {"SPY"})
            moment = timestamp(int(clock().timestamp() * 1_000_000_000))
            await server.send([quote_message(TapeQuote(0, "SPY", 10.0, 200, 10.02, 300), moment)])
            await eventually(is_shown, 20)
            reader = FirestoreSource(firestore.Client(project=project), TENANT)
            async with within(20), aclosing(usable_quotes(reader, ["SPY"], clock=clock)) as updates:
                update = await anext(updates)
            heartbeat = await pod.documents.heartbeat()
            assert heartbeat is not None
            return update, heartbeat


async def test_a_pod_in_a_closed_market_says_so_to_the_reader_and_when_it_opens(emulator: str, tmp_path: Path) -> None:
    assert emulator
    clock = clock_that_starts_at(SATURDAY)
    update, heartbeat = await first_update("demo-closed", mount(tmp_path, "key", SECRET), clock, "closed")
    assert heartbeat["market_changes_at"] == OPENS_AT
    assert isinstance(update, Unusable)
    assert update.verdict.reason == "closed"
    assert update.verdict.message == "The market is closed (until 2026-03-09T08:00:00Z)."


async def test_the_same_pod_in_an_open_market_makes_the_quote_usable(emulator: str, tmp_path: Path) -> None:
    assert emulator
    clock = clock_that_starts_at(MONDAY)
    update, _ = await first_update("demo-open", mount(tmp_path, "key", SECRET), clock, "open")
    assert isinstance(update, Usable)
    assert (update.quote.bid, update.quote.ask) == (10.0, 10.02)
