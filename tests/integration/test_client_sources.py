"""One suite for the client library's Firestore source on the emulator and for its source in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any, Protocol

import pytest
from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.watch import Watch

from sluice_client import MemorySource, Source, Usable, usable_quotes
from sluice_client.firestore import MAX_SYMBOLS, FirestoreSource
from sluice_client.sources import Event, HeartbeatRead, QuoteRead, ReaderChanged
from support.deadlines import within
from support.eventually import eventually
from support.feed_documents import heartbeat_fields, quote_fields

# Google's client raises the end of a listener in a thread of its own if the server's answer precedes the cancellation.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")

PROJECT = "demo-sluice-client"

_tenants = count(1)


class Store(Protocol):
    """A source, and write access to its documents."""

    source: Source

    async def put_heartbeat(self, fields: dict[str, Any] | None) -> None: ...

    async def put_quote(self, symbol: str, fields: dict[str, Any] | None) -> None: ...


class MemoryStore:
    def __init__(self) -> None:
        self._memory = MemorySource()
        self.source: Source = self._memory

    async def put_heartbeat(self, fields: dict[str, Any] | None) -> None:
        self._memory.put_heartbeat(fields)

    async def put_quote(self, symbol: str, fields: dict[str, Any] | None) -> None:
        self._memory.put_quote(symbol, fields)


class FirestoreStore:
    def __init__(self, client: firestore.Client, tenant: str) -> None:
        self._client = client
        self._tenant = tenant
        self.source: Source = FirestoreSource(client, tenant)

    async def put_heartbeat(self, fields: dict[str, Any] | None) -> None:
        await self._put("ops/market_ingest", fields)

    async def put_quote(self, symbol: str, fields: dict[str, Any] | None) -> None:
        await self._put(f"live_quotes/{symbol.replace('/', '-')}", fields)

    async def _put(self, path: str, fields: dict[str, Any] | None) -> None:
        document = self._client.document(f"tenants/{self._tenant}/{path}")
        await asyncio.to_thread(document.delete if fields is None else lambda: document.set(fields))


@pytest.fixture(params=["memory", "firestore"])
def store(request: pytest.FixtureRequest) -> Store:
    """Each store in turn, empty."""
    if request.param == "memory":
        return MemoryStore()
    return FirestoreStore(request.getfixturevalue("client"), f"tenant-{next(_tenants)}")


@pytest.fixture(scope="module")
def client(emulator: str) -> firestore.Client:
    """Google's client, on the emulator."""
    assert emulator
    return firestore.Client(project=PROJECT)


class Received:
    """What a source has delivered last about each document."""

    def __init__(self) -> None:
        self.heartbeats: list[Any] = []
        self.quotes: dict[str, Any] = {}
        self.reader: list[ReaderChanged] = []

    def deliver(self, event: Event) -> None:
        match event:
            case HeartbeatRead(document):
                self.heartbeats.append(document)
            case QuoteRead(symbol, document):
                self.quotes[symbol] = document
            case ReaderChanged():
                self.reader.append(event)

    async def wait_for_price(self, symbol: str, price: float) -> None:
        await eventually(lambda: self.quotes[symbol] is not None and self.quotes[symbol]["price"] == price)


@asynccontextmanager
async def listening(store: Store, symbols: Collection[str]) -> AsyncIterator[Received]:
    """Listen to these symbols."""
    received = Received()
    subscription = store.source.subscribe(symbols, received.deliver)
    yield received
    await subscription.close()


def now() -> datetime:
    return datetime.now(UTC)


async def test_what_exists_is_delivered_and_what_does_not_is_none(store: Store) -> None:
    beat, quote = heartbeat_fields(now()), quote_fields("BTC/USD", now())
    await store.put_heartbeat(beat)
    await store.put_quote("BTC/USD", quote)
    async with listening(store, ["BTC/USD", "SPY"]) as received:
        await eventually(lambda: received.heartbeats and len(received.quotes) == 2)
        assert received.heartbeats == [beat]
        assert received.quotes == {"BTC/USD": quote, "SPY": None}


async def test_an_absent_heartbeat_is_none(store: Store) -> None:
    async with listening(store, ["SPY"]) as received:
        await eventually(lambda: received.heartbeats)
        assert received.heartbeats == [None]


async def test_changes_and_deletions_are_delivered(store: Store) -> None:
    async with listening(store, ["SPY"]) as received:
        await eventually(lambda: received.heartbeats and received.quotes)
        for price in (1.0, 2.0):
            await store.put_quote("SPY", quote_fields("SPY", now(), price=price))
            await received.wait_for_price("SPY", price)
        await store.put_quote("SPY", None)
        await eventually(lambda: received.quotes["SPY"] is None)
        beat = heartbeat_fields(now())
        await store.put_heartbeat(beat)
        await eventually(lambda: received.heartbeats[-1] == beat)
        await store.put_heartbeat(None)
        await eventually(lambda: received.heartbeats[-1] is None)


async def test_other_symbols_are_not_delivered(store: Store) -> None:
    async with listening(store, ["SPY"]) as received:
        await eventually(lambda: received.quotes)
        await store.put_quote("QQQ", quote_fields("QQQ", now()))
        await store.put_quote("SPY", quote_fields("SPY", now()))
        await eventually(lambda: received.quotes["SPY"])
        assert set(received.quotes) == {"SPY"}


async def test_more_symbols_than_one_listener_reads_are_delivered(store: Store) -> None:
    names = [f"S{number}" for number in range(205)]
    await asyncio.gather(*(store.put_quote(name, quote_fields(name, now())) for name in names))
    async with listening(store, names) as received:
        await eventually(lambda: len(received.quotes) == 205)
        assert all(received.quotes[name]["symbol"] == name for name in names)


async def test_nothing_is_delivered_after_the_subscription_is_closed(store: Store) -> None:
    async with listening(store, ["SPY"]) as received:
        await eventually(lambda: received.quotes)
    await store.put_quote("SPY", quote_fields("SPY", now()))
    await asyncio.sleep(0.2)
    assert received.quotes == {"SPY": None}


async def test_a_strategy_is_given_what_it_may_use(store: Store) -> None:
    await store.put_heartbeat(heartbeat_fields(now()))
    await store.put_quote("SPY", quote_fields("SPY", now(), price=601.23))
    found: list[str] = []
    async with within(20):
        async for update in usable_quotes(store.source, ["SPY"]):
            found.append(str(update.quote.price) if isinstance(update, Usable) else update.verdict.reason)
            if found == ["601.23"]:
                await store.put_heartbeat(heartbeat_fields(now(), status="paused", ingest_enabled=False))
            if len(found) == 2:
                break
    assert found == ["601.23", "paused"]


@pytest.fixture
def watches(monkeypatch: pytest.MonkeyPatch) -> list[Watch]:
    """The listeners that Google's client opens during the test: that of the heartbeat, then those of quotes."""
    found: list[Watch] = []

    def record(*arguments: Any) -> Watch:
        found.append(Watch(*arguments))
        return found[-1]

    monkeypatch.setattr("sluice_client.firestore.Watch", record)
    return found


async def test_a_listener_that_ends_is_reported_and_opened_again(
    client: firestore.Client, watches: list[Watch]
) -> None:
    store = FirestoreStore(client, f"tenant-{next(_tenants)}")
    async with listening(store, ["SPY"]) as received:
        await eventually(lambda: received.reader == [ReaderChanged(is_signed_in=True, is_connected=True)])
        watches[1].close()  # what Google's client does when a stream ends for good
        await eventually(lambda: [each.is_connected for each in received.reader] == [True, False, True])
        await store.put_quote("SPY", quote_fields("SPY", now(), price=5.0))
        await received.wait_for_price("SPY", 5.0)
    assert [watch.is_active for watch in watches] == [False] * 4


async def test_more_symbols_than_a_job_has_are_refused(client: firestore.Client) -> None:
    with pytest.raises(ValueError, match="name at most 2000"):
        FirestoreSource(client, "t").subscribe([f"S{number}" for number in range(MAX_SYMBOLS + 1)], lambda _: None)


async def test_a_firestore_that_does_not_answer_is_reported(unused_tcp_port: int, monkeypatch: Any) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"127.0.0.1:{unused_tcp_port}")
    received = Received()
    subscription = FirestoreSource(firestore.Client(project=PROJECT), "t").subscribe(["SPY"], received.deliver)
    await eventually(lambda: received.reader)
    await subscription.close()
    assert received.reader == [ReaderChanged(is_signed_in=True, is_connected=False)]


async def test_a_refusal_is_reported_as_not_signed_in(
    client: firestore.Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise exceptions.PermissionDenied("Missing or insufficient permissions.")

    monkeypatch.setattr(firestore.DocumentReference, "get", refuse)
    async with listening(FirestoreStore(client, "refused"), ["SPY"]) as received:
        await eventually(lambda: received.reader)
        assert received.reader == [ReaderChanged(is_signed_in=False, is_connected=True)]
        monkeypatch.undo()
        await eventually(lambda: received.reader[-1] == ReaderChanged(is_signed_in=True, is_connected=True))
    assert "Firestore refuses this reader" in caplog.text
