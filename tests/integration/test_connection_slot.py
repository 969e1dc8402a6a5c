"""Two jobs with one key pair, on a real API server: one streams, and the other waits and names the holder."""

from __future__ import annotations

from sluice_contract import conditions as c
from support.site import Tenant, eventually, streaming_from
from support.upstream import Upstream


def test_a_second_job_with_the_same_credentials_waits_until_the_first_is_paused(
    tenant: Tenant, upstream: Upstream
) -> None:
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    tenant.apply("first", **streaming_from(upstream))
    tenant.settled("Streaming", "first")
    assert tenant.condition(c.CONNECTION_SLOT_ACQUIRED, "first") == ("True", c.SLOT_ACQUIRED)
    second = {**streaming_from(upstream), "symbols": ["MSFT"], "heartbeat": {"document": "second"}}
    tenant.apply("second", **second)
    eventually(lambda: tenant.condition(c.CONNECTION_SLOT_ACQUIRED, "second") == ("False", c.HELD_BY), 30)
    assert tenant.job("second")["status"]["stream"]["slot"] == {"acquired": False, "holder": "first"}
    assert len(upstream.record()["connections"]) == 1
    tenant.patch("first", enabled=False)
    tenant.settled("Paused", "first")
    tenant.settled("Streaming", "second")
    assert upstream.subscribed == {"MSFT"}
