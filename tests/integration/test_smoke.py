"""`sluice-runtime smoke` against the Alpaca simulator in a closed market, and when something is wrong.

Looked for besides: quotes that are written, a paused job and a document from a pipe (test_standalone), and the sentence
of each verdict (unit tests of smoke_verdict).
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sluice_devcluster.controlplane import find_free_port
from sluice_simulators.alpaca import Account, AlpacaServer
from support.standalone import Machine

DAY = timedelta(days=1)
CLOSED_DAYS = 5
SECONDS = "10"
KEY, SECRET = "key", "secret"


@pytest.fixture
async def server() -> AsyncIterator[AlpacaServer]:
    """Yield a server whose calendar has no trading on the next days."""
    async with AlpacaServer([Account(KEY, SECRET)]) as running:
        today = datetime.now(UTC).date()
        running.rest.trading_days.closed |= {today + count * DAY for count in range(-1, CLOSED_DAYS)}
        yield running


@pytest.fixture
def machine(tmp_path: Path, emulator: str, server: AlpacaServer) -> Machine:
    made = Machine(tmp_path, emulator, "")
    made.environment |= {
        "TENANT_ID": f"smoke-{uuid.uuid4().hex[:8]}",
        "FIRESTORE_PROJECT_ID": "demo-sluice",
        "ALPACA_KEY_ID": KEY,
        "ALPACA_SECRET_KEY": SECRET,
        "ALPACA_STREAM_URL": server.url(),
        "APCA_API_BASE_URL": server.http_url,
    }
    return made


async def smoke(machine: Machine) -> tuple[int, str]:
    """Run a smoke test of the job of the environment. Return the exit code and the verdict."""
    code, output = await asyncio.to_thread(machine.call, "smoke", "--seconds", SECONDS)
    return code, output.splitlines()[-1]


def closed_until(server: AlpacaServer) -> str:
    """Return the beginning of the sentence about the market, with the next day on which IEX trades."""
    today = datetime.now(UTC).date()
    opens = next(server.rest.trading_days.entries(today, today + 30 * DAY))["date"]
    return f"the market of alpaca:iex is closed until {datetime.fromisoformat(opens):%A} {opens} 1"  # 12:00 or 13:00


async def test_a_heartbeat_is_enough_in_a_closed_market(machine: Machine, server: AlpacaServer) -> None:
    code, verdict = await smoke(machine)
    tenant = machine.environment["TENANT_ID"]
    assert (code, verdict[:6]) == (0, "PASS: ")
    assert f"(tenants/{tenant}/ops/market_ingest) and no quote documents (tenants/{tenant}/live_quotes)" in verdict
    assert f"the stream is Live; {closed_until(server)}" in verdict


async def test_a_dry_run_in_a_closed_market_fails_and_says_when_it_opens(
    machine: Machine, server: AlpacaServer
) -> None:
    machine.environment["DRY_RUN"] = "1"
    code, verdict = await smoke(machine)
    assert (code, verdict[:6]) == (1, "FAIL: ")
    assert f"would have been written: the stream is Live; {closed_until(server)}" in verdict
    assert "or with a feed that never closes" in verdict


async def test_a_refused_login_fails_although_heartbeats_are_written(machine: Machine) -> None:
    machine.environment["ALPACA_SECRET_KEY"] = "wrong"
    code, verdict = await smoke(machine)
    assert (code, verdict[:6]) == (1, "FAIL: ")
    assert "the stream is Blocked (Alpaca refuses the credentials" in verdict
    assert "market_ingest) and no quote documents" in verdict


async def test_firestore_that_cannot_be_reached_fails_with_what_to_check(machine: Machine) -> None:
    machine.environment["FIRESTORE_EMULATOR_HOST"] = f"127.0.0.1:{find_free_port()}"
    code, verdict = await smoke(machine)
    assert (code, verdict[:6]) == (1, "FAIL: ")
    assert "neither a heartbeat nor a quote document was written to Firestore" in verdict
    assert "(Firestore did not accept a write: " in verdict
    assert verdict.endswith("(for an emulator, FIRESTORE_EMULATOR_HOST)")
    assert "the market of alpaca:iex is closed" in verdict


async def test_a_tenant_that_cannot_exist_is_refused(machine: Machine) -> None:
    machine.environment["TENANT_ID"] = "Not/A/Tenant"
    code, said = await asyncio.to_thread(machine.complaint, "smoke", "--seconds", SECONDS)
    assert (code, "TENANT_ID" in said, "Traceback" in said) == (2, True, False)
