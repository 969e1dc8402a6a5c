"""The Firestore sink and its fake, each with direct access to its documents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from google.cloud import firestore

from sluice_contract.documents import HeartbeatDocument, IngestState, LiveBar, LiveQuote, RecordStatus
from sluice_contract.gap_documents import GapRepair, IngestGap
from sluice_contract.spec import FirestoreSettings
from sluice_runtime.sinks.firestore.connection import open_firestore_connection
from sluice_runtime.sinks.firestore.sink import FirestoreSink
from support.fake_sink import JOB, FakeSink
from support.virtual_time import seconds

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
TENANT = "acme"


class Documents:
    """Reads and writes the documents of a sink directly, without the sink."""

    def __init__(self, sink: FakeSink | FirestoreSink, client: Any) -> None:
        self._sink = sink
        self._client = client

    async def quote(self, symbol: str) -> dict[str, Any] | None:
        """Return the quote document of a symbol."""
        if isinstance(self._sink, FakeSink):
            return self._sink.quotes.get(symbol)
        return await self._get(f"tenants/{TENANT}/live_quotes/{symbol.replace('/', '-')}")

    async def heartbeat(self) -> dict[str, Any] | None:
        """Return the heartbeat document."""
        if isinstance(self._sink, FakeSink):
            return self._sink.heartbeat
        return await self._get(f"tenants/{TENANT}/ops/market_ingest")

    async def bar(self, symbol: str) -> dict[str, Any] | None:
        """Return the bar document of a symbol."""
        if isinstance(self._sink, FakeSink):
            return self._sink.bars.get(symbol)
        return await self._get(f"tenants/{TENANT}/live_bars/{symbol.replace('/', '-')}")

    async def gap(self, document_id: str) -> dict[str, Any] | None:
        """Return the document of a gap."""
        if isinstance(self._sink, FakeSink):
            return self._sink.gaps.get(document_id)
        return await self._get(f"tenants/{TENANT}/ingest_gaps/{document_id}")

    async def record(self, symbol: str) -> dict[str, Any] | None:
        """Return the record of a symbol."""
        if isinstance(self._sink, FakeSink):
            return self._sink.records.get(symbol)
        return await self._get(f"tenants/{TENANT}/ingest_state/{symbol.replace('/', '-')}")

    async def put_quote(self, symbol: str, fields: dict[str, Any]) -> None:
        """Write the quote document of a symbol, as another writer could."""
        if isinstance(self._sink, FakeSink):
            self._sink.quotes[symbol] = fields
        else:
            await self._client.document(f"tenants/{TENANT}/live_quotes/{symbol.replace('/', '-')}").set(fields)

    async def delete_quote(self, symbol: str) -> None:
        """Delete the quote document of a symbol, as another client could."""
        if isinstance(self._sink, FakeSink):
            self._sink.quotes.pop(symbol, None)
        else:
            await self._client.document(f"tenants/{TENANT}/live_quotes/{symbol.replace('/', '-')}").delete()

    async def put_record(self, symbol: str, fields: dict[str, Any]) -> None:
        """Write the record of a symbol."""
        if isinstance(self._sink, FakeSink):
            self._sink.records[symbol] = fields
        else:
            await self._client.document(f"tenants/{TENANT}/ingest_state/{symbol.replace('/', '-')}").set(fields)

    async def put_heartbeat(self, fields: dict[str, Any]) -> None:
        """Write the heartbeat document."""
        if isinstance(self._sink, FakeSink):
            self._sink.heartbeat, self._sink.heartbeat_at = fields, seconds()
        else:
            await self._client.document(f"tenants/{TENANT}/ops/market_ingest").set(fields)

    async def delete_heartbeat(self) -> None:
        """Delete the heartbeat document."""
        if isinstance(self._sink, FakeSink):
            self._sink.heartbeat = None
        else:
            await self._client.document(f"tenants/{TENANT}/ops/market_ingest").delete()

    async def _get(self, path: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = (await self._client.document(path).get()).to_dict()
        return found


Opened = tuple[FakeSink | FirestoreSink, Documents]


def fake_sink() -> tuple[FakeSink, Documents]:
    """Return the fake sink of job acme/us and its documents."""
    fake = FakeSink()
    return fake, Documents(fake, None)


@asynccontextmanager
async def firestore_sink(project: str) -> AsyncIterator[tuple[FirestoreSink, Documents]]:
    """Open the sink of job acme/us on the running emulator. Its documents are read with Google's own client."""
    connection = await open_firestore_connection(FirestoreSettings(), project, None)
    sink = FirestoreSink(connection, TENANT, "live_quotes", "market_ingest", JOB)
    yield sink, Documents(sink, firestore.AsyncClient(project=project))
    await sink.close()


@asynccontextmanager
async def opened_sink(kind: str, project: str) -> AsyncIterator[Opened]:
    """Open a sink of one kind: `fake` or `firestore`."""
    if kind == "fake":
        yield fake_sink()
        return
    async with firestore_sink(project) as opened:
        yield opened


def quote(symbol: str, bid: float | None = 1.5, seq: int = 1, job: str = JOB) -> LiveQuote:
    """Return the document of a quote."""
    return LiveQuote(
        symbol=symbol,
        bid=bid,
        ask=2.5,
        bid_size=100.0,
        ask_size=None,
        price=None if bid is None else 2.0,
        price_basis=None if bid is None else "mid",
        ts=NOW,
        source="alpaca:iex",
        job=job,
        session_id="s",
        seq=seq,
        epoch=7,
        written_at=NOW + timedelta(milliseconds=5),
    )


def bar(symbol: str, job: str = JOB) -> LiveBar:
    """Return the document of a bar."""
    prices = {"open": 1.0, "high": 2.0, "low": 0.5, "close": 1.5}
    return LiveBar(symbol=symbol, timeframe="1Min", **prices, volume=3.0, ts=NOW, job=job)


def gap(symbols: list[str] | None = None, trades: int = 0) -> IngestGap:
    """Return the document of a gap of one minute."""
    return IngestGap(
        job=JOB,
        from_=NOW,
        to=NOW + timedelta(minutes=1),
        cause="stall",
        symbols=symbols,
        repair=GapRepair(trades=trades, open_symbols=1),
        session_id="s",
    )


def state(symbol: str, status: RecordStatus = "active", notes: str | None = None, **times: datetime) -> IngestState:
    """Return the record of a symbol that this job writes."""
    return IngestState(
        canonical_symbol=symbol,
        job=None if status == "removed" else JOB,
        status=status,
        pause_fetch=status == "paused",
        notes=notes,
        last_times=times,
        updated_at=NOW,
    )


def heartbeat(uid: str, epoch: int, status: str = "running", **changes: Any) -> HeartbeatDocument:
    """Return the heartbeat of one incarnation of a job, with other values for some fields."""
    plain = HeartbeatDocument(
        status=status,
        ts=NOW,
        ingest_enabled=True,
        ingest_enabled_source="spec.enabled",
        pause_reason=None,
        pause_until=None,
        last_symbol="AAPL",
        dry_run=False,
        job="acme/us",
        job_uid=uid,
        epoch=epoch,
        session_id="s",
        started_at=NOW,
        effective_interval_ms=1000,
        heartbeat_interval_ms=15_000,
        loop_tick_at=NOW,
        last_message_at=None,
        last_quote_ts=None,
        last_write_at=NOW,
    )
    return msgspec.structs.replace(plain, **changes)
