"""The daily write budget of a runtime: what it counts is what the emulator has accepted, also across restarts."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.cloud import firestore
from google.cloud.firestore_v1.types import CommitRequest

from sluice_devcluster.emulator_documents import PROJECT
from sluice_runtime.domain.write_budget import budget_day
from support.deadlines import scaled
from support.firestore import VARIABLE
from support.firestore_proxy import FirestoreProxy
from support.site import SPEC, eventually
from support.standalone import Machine

LIMIT = 1_000_000  # at least two heartbeats each second
_SECONDS_OF_A_TEST = 120


class CountingProxy(FirestoreProxy):
    """Counts the documents that the emulator has written, and those whose sender has ended before the answer."""

    def __init__(self, target: str) -> None:
        super().__init__(target, time.monotonic)
        self.document_count = 0

    async def answer(self, channel: grpc.aio.Channel, path: str, request: bytes, context: Any) -> list[bytes]:
        count = 0
        if path.endswith("/Commit"):
            count = sum(not write.delete for write in CommitRequest.deserialize(request).writes)
        try:
            answers = await super().answer(channel, path, request, context)
        except asyncio.CancelledError:
            self.document_count += count
            raise
        self.document_count += count
        return answers


class BudgetedMachine:
    """A runtime without Kubernetes, with a proxy in front of its Firestore that counts documents."""

    def __init__(self, folder: Path, emulator: str, proxy: CountingProxy) -> None:
        self.tenant = f"budget-{uuid.uuid4().hex[:8]}"
        self.machine = Machine(folder, emulator, self.tenant)
        self.proxy = proxy
        self.declare(LIMIT)

    def declare(self, limit: int) -> None:
        """Set limits.writesPerDay."""
        self.machine.declare(limits={**SPEC["limits"], "writesPerDay": limit})

    async def until(self, check: Callable[[], Any]) -> None:
        """Wait until a check is true, while the proxy goes on."""
        await asyncio.to_thread(eventually, check, 40)

    async def write_for(self, seconds: float, end_with: signal.Signals) -> dict[str, Any]:
        """Run until documents have been written for `seconds`, end with a signal, and return the last heartbeat."""
        with self.machine.running() as process:
            await self.until(lambda: self.machine.status().get("state") == "Live")
            await asyncio.sleep(seconds)
            await asyncio.to_thread(_end, process, end_with)
        return await asyncio.to_thread(self.machine.heartbeat)


def _end(process: subprocess.Popen[bytes], end_with: signal.Signals) -> None:
    process.send_signal(end_with)
    process.wait(scaled(20))


@pytest.fixture
async def budgeted(emulator: str, tmp_path: Path) -> AsyncIterator[BudgetedMachine]:
    now = datetime.now(UTC)
    left = budget_day(now).seconds_left(now)
    if left < _SECONDS_OF_A_TEST:
        await asyncio.sleep(left + 1)  # a test would not end on the day on which it begins
    proxy = CountingProxy(emulator)
    made = BudgetedMachine(tmp_path, emulator, proxy)
    async with proxy.listening() as address:
        made.machine.environment[VARIABLE] = address
        yield made


async def test_the_count_is_what_the_emulator_has_written_and_continues_after_a_restart(
    budgeted: BudgetedMachine,
) -> None:
    first = await budgeted.write_for(4, signal.SIGTERM)
    assert first["status"] == "stopped"
    assert first["writes_used"] == budgeted.proxy.document_count > 20
    before = budgeted.proxy.document_count
    second = await budgeted.write_for(3, signal.SIGTERM)
    assert second["writes_used"] == budgeted.proxy.document_count > before
    assert second["writes_day"] == budget_day(datetime.now(UTC)).day.isoformat()


async def test_after_a_kill_the_count_is_never_below_what_the_emulator_has_written(budgeted: BudgetedMachine) -> None:
    killed = await budgeted.write_for(3.5, signal.SIGKILL)
    assert killed["status"] != "stopped"
    assert killed["writes_used"] <= budgeted.proxy.document_count
    last = await budgeted.write_for(2, signal.SIGTERM)
    documents = budgeted.proxy.document_count
    # One interval of 1 s and the 3 s of a write are charged, at no more than 100 a second, and a record of each symbol.
    assert documents <= last["writes_used"] <= documents + 4 * 100 + 4


async def test_a_used_up_budget_pauses_the_job_and_a_larger_one_resumes_it(budgeted: BudgetedMachine) -> None:
    machine = budgeted.machine
    await budgeted.write_for(1, signal.SIGTERM)
    client = firestore.AsyncClient(project=PROJECT)
    await client.document(f"tenants/{budgeted.tenant}/ops/market_ingest").update({"writes_used": LIMIT - 1000})
    with machine.running() as process:
        await budgeted.until(lambda: machine.status().get("state") == "Paused")
        await budgeted.until(lambda: machine.heartbeat()["ingest_enabled_source"] == "quota")
        status = machine.status()
        assert status["pausedBy"] == ["quota"]
        assert status["writes"]["limit"] == LIMIT
        assert "Raise limits.writesPerDay" in machine.heartbeat()["pause_reason"]
        beat = machine.heartbeat()
        await budgeted.until(lambda: machine.heartbeat()["ts"] > beat["ts"])
        budgeted.declare(4 * LIMIT)
        await asyncio.to_thread(machine.post, "reload")
        await budgeted.until(lambda: machine.status().get("state") == "Live")
        assert machine.status()["writes"]["limit"] == 4 * LIMIT
        await asyncio.to_thread(_end, process, signal.SIGTERM)
