"""The time from a write to the update that a reader gets, with as many symbols as a job may have."""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from google.cloud import firestore

from bench.rows import Row
from sluice_client.firestore import FirestoreSource
from sluice_client.sources import Event, QuoteRead, document_id
from support.feed_documents import heartbeat_fields, quote_fields
from support.firestore import firestore_emulator

SYMBOLS = (30, 300, 1000, 2000)
SECONDS = 10
WRITES_PER_SECOND = 100  # the default limit of a job
WRITES_PER_BATCH = 20
MOST_MS = 1000.0  # p99
_PROJECT = "demo-bench"
_START_SECONDS = 120.0
# A stride without a common divisor with the numbers of symbols, so that a batch goes to many listeners.
_STRIDE = 7


def rows(folder: Path, seconds: int = SECONDS) -> list[Row]:
    """Measure each number of symbols for this many seconds, against one emulator."""
    found: list[Row] = []
    with firestore_emulator(folder / "emulator"):
        for count in SYMBOLS:
            started, delays, cpu = asyncio.run(_measure(f"tenant-{count}", count, seconds))
            found += _rows(count, started, delays, cpu)
    return found


def _rows(count: int, started: float, delays: list[float], cpu: float) -> list[Row]:
    delays.sort()
    p99 = 1000 * delays[int(0.99 * len(delays))]
    name = f"readers: {count} symbols"
    target = f"<= {MOST_MS:g}"
    return [
        Row(name=f"{name}, until all were read", unit="s", ours=started),
        Row(name=f"{name}, write to update p50", unit="ms", ours=1000 * delays[len(delays) // 2]),
        Row(name=f"{name}, write to update p99", unit="ms", ours=p99, target=target, met=p99 <= MOST_MS),
        Row(name=f"{name}, CPU of the reader", unit="% of a core", ours=100 * cpu),
    ]


async def _measure(tenant: str, count: int, seconds: int) -> tuple[float, list[float], float]:
    """Return the seconds until all documents were read, those from each write to its update, and the CPU's share."""
    client = firestore.Client(project=_PROJECT)
    names = [f"S{number}" for number in range(count)]
    await asyncio.to_thread(_write_all, client, tenant, names)
    writes = seconds * WRITES_PER_SECOND
    received: set[str] = set()
    delays: list[float] = []
    has_all, is_done = asyncio.Event(), asyncio.Event()

    def deliver(event: Event) -> None:
        if isinstance(event, QuoteRead) and isinstance(event.document, dict):
            received.add(event.symbol)
            if "sent" in event.document:
                delays.append(time.time() - event.document["sent"])
        if len(received) == count:
            has_all.set()
        if len(delays) == writes:
            is_done.set()

    at = time.monotonic()
    subscription = FirestoreSource(client, tenant).subscribe(names, deliver)
    try:
        await asyncio.wait_for(has_all.wait(), _START_SECONDS)
        started = time.monotonic() - at
        at, cpu_at = time.monotonic(), time.process_time()
        await _run_writer(tenant, count, writes)
        await asyncio.wait_for(is_done.wait(), _START_SECONDS)
        return started, delays, (time.process_time() - cpu_at) / (time.monotonic() - at)
    finally:
        await subscription.close()


async def _run_writer(tenant: str, count: int, writes: int) -> None:
    """Write from another process, so that reader and writer do not share an interpreter."""
    command = [sys.executable, "-m", "bench.readers", tenant, str(count), str(writes)]
    process = await asyncio.create_subprocess_exec(*command)
    if await process.wait() != 0:
        raise RuntimeError(f"the writer of quotes failed with exit code {process.returncode}; its output is above")


def _write_all(client: firestore.Client, tenant: str, names: list[str]) -> None:
    now = datetime.now(UTC)
    client.document(f"tenants/{tenant}/ops/market_ingest").set(heartbeat_fields(now))
    for first in range(0, len(names), 400):
        batch = client.batch()
        for name in names[first : first + 400]:
            batch.set(client.document(_quote_path(tenant, name)), quote_fields(name, now))
        batch.commit()


def write_quotes(tenant: str, count: int, writes: int) -> None:
    """Write quotes of all symbols in turn at a job's default rate. The field `sent` is the time of each commit."""
    client = firestore.Client(project=_PROJECT)
    began = time.monotonic()
    for first in range(0, writes, WRITES_PER_BATCH):
        time.sleep(max(0.0, began + first / WRITES_PER_SECOND - time.monotonic()))
        batch = client.batch()
        sent = time.time()
        for number in range(first, first + WRITES_PER_BATCH):
            name = f"S{number * _STRIDE % count}"
            fields = quote_fields(name, datetime.now(UTC), sent=sent)
            batch.set(client.document(_quote_path(tenant, name)), fields)
        batch.commit()


def _quote_path(tenant: str, symbol: str) -> str:
    return f"tenants/{tenant}/live_quotes/{document_id(symbol)}"


if __name__ == "__main__":
    write_quotes(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
