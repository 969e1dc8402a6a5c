"""Other clients lock documents of a whole runtime on the emulator: the other documents keep their interval.

Also looked for: the heartbeat's document, a record, and several documents at once.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore

from support.firestore import VARIABLE
from support.firestore_proxy import FirestoreProxy
from support.firestore_runtime import Runtime, until

SYMBOLS = ["SPY", "QQQ", "DIA", "IWM"]
_projects = itertools.count(1)


@pytest.fixture
def project() -> str:
    return f"demo-sluice-locks-{next(_projects)}"


@pytest.fixture
async def runtime(
    emulator: str, project: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[Runtime]:
    """A runtime of four symbols that has written its first quotes."""
    client = firestore.AsyncClient(project=project)
    proxy = FirestoreProxy(emulator, time.monotonic)
    async with proxy.listening() as address:
        monkeypatch.setenv(VARIABLE, address)
        found = Runtime(proxy, client, SYMBOLS)
        async with found.running(project, tmp_path):
            monkeypatch.setenv(VARIABLE, emulator)
            yield found


@asynccontextmanager
async def locked(project: str, *documents: str) -> AsyncIterator[None]:
    """Hold the locks of these documents, as a client does that reads them in a transaction and thinks."""
    client = firestore.Client(project=project, credentials=AnonymousCredentials())
    transaction = client.transaction(max_attempts=1)

    def lock() -> None:
        transaction._begin()
        for document in documents:
            list(transaction.get(client.document(f"tenants/acme/{document}")))

    await asyncio.to_thread(lock)
    try:
        yield
    finally:
        await asyncio.to_thread(transaction._rollback)


async def largest_ages(runtime: Runtime, seconds: float) -> dict[str, float]:
    """Return the largest age of each quote document within the next `seconds`."""
    found: dict[str, float] = {}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        async for each in runtime.client.collection("tenants/acme/live_quotes").stream():
            age = (datetime.now(UTC) - each.update_time).total_seconds()
            found[each.id] = max(found.get(each.id, 0.0), age)
        await asyncio.sleep(0.2)
    return found


async def test_locked_quotes_delay_no_other_quote(runtime: Runtime, project: str) -> None:
    async with locked(project, "live_quotes/QQQ", "live_quotes/DIA"):
        ages = await largest_ages(runtime, 7.0)
        assert max(ages["SPY"], ages["IWM"]) < 3.0
        assert ages["QQQ"] > 5.0
        assert "live_quotes/QQQ" in runtime.failure
        assert "live_quotes/DIA" in runtime.failure
    await until(lambda: runtime.failure == "", 10)
    assert max((await largest_ages(runtime, 1.0)).values()) < 3.0


async def test_a_locked_heartbeat_or_record_delays_no_quote(runtime: Runtime, project: str) -> None:
    async with locked(project, "ops/market_ingest", "ingest_state/SPY"):
        runtime.runtime.documents.request_rewrite()
        runtime.runtime.transitions.signal()
        assert max((await largest_ages(runtime, 7.0)).values()) < 3.0
        assert runtime.failure.startswith(
            ("ops/market_ingest: Firestore did not", "ingest_state/SPY: Firestore did not")
        )
    await until(lambda: runtime.failure == "", 15)
