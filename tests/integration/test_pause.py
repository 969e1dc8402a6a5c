"""A pause of a whole pod, by a patch of its job while the provider sends 5,000 quotes a second."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from sluice_simulators.alpaca.stream_faults import Mute
from support.phases import PHASES, Phase, attempts
from support.site import Tenant, eventually, streaming_from
from support.upstream import Upstream


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """An Alpaca simulator at full load."""
    with Upstream("--quotes-per-second", "5000", "--batch", "10") as server:
        yield server


def enter(tenant: Tenant, upstream: Upstream, phase: Phase) -> None:
    """Start the job and wait until its stream reaches this phase, and for written quotes if it is Live."""
    before = phase.entries(upstream.record())
    upstream.script(*phase.faults)
    tenant.patch(enabled=True)
    eventually(lambda: phase.entries(upstream.record()) > before)
    if not phase.faults:
        eventually(tenant.writes)


def pause(tenant: Tenant) -> dict[str, Any]:
    """Pause the job; return the pod's part of the status once the pause is acknowledged."""
    tenant.patch(enabled=False)
    found: dict[str, Any] = tenant.settled("Paused")["stream"]["pause"]
    assert "acknowledgedAt" in found
    return found


def assert_nothing_happens(tenant: Tenant, upstream: Upstream) -> None:
    """Check that no socket is open, none is opened and no quote is written."""
    written, asked = tenant.writes(), attempts(upstream.record())
    time.sleep(0.5)
    assert tenant.writes() == written
    assert attempts(upstream.record()) == asked
    assert upstream.open_connections == []


def test_in_every_phase_a_pause_holds_until_it_ends(tenant: Tenant, upstream: Upstream) -> None:
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    tenant.apply(enabled=False, **streaming_from(upstream))
    tenant.settled("Paused")
    for phase in PHASES.values():
        enter(tenant, upstream, phase)
        pause(tenant)
        assert_nothing_happens(tenant, upstream)
    assert upstream.record()["concurrent_max"] == 1


def test_a_pause_closes_the_socket_of_an_unresponsive_peer(tenant: Tenant, upstream: Upstream) -> None:
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    tenant.apply(**streaming_from(upstream))
    tenant.settled("Streaming")
    eventually(tenant.writes)
    upstream.inject(Mute(pongs=False))
    assert "socketClosedAt" in pause(tenant)
    eventually(lambda: not upstream.open_connections)
    assert_nothing_happens(tenant, upstream)


def test_the_heartbeat_keeps_the_failure_and_its_remedy_while_the_job_is_paused(
    tenant: Tenant, upstream: Upstream
) -> None:
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    tenant.apply(enabled=False, **streaming_from(upstream))
    tenant.settled("Paused")
    enter(tenant, upstream, PHASES["BackingOff"])
    failure = eventually(lambda: tenant.heartbeat().get("failure"))
    pause(tenant)
    eventually(lambda: tenant.heartbeat()["status"] == "paused")
    assert tenant.heartbeat()["failure"] == failure
    assert failure["remedy"].endswith(".")
    assert tenant.job()["status"]["stream"]["failure"]["type"] == "network"
    tenant.patch(enabled=True)
    tenant.settled("Streaming")
    eventually(lambda: tenant.heartbeat()["failure"] is None)
