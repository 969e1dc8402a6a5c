"""An IngestJob as its users use it: applied, watched, paused, and changed while it streams."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from sluice_devcluster.kubectl import KubectlError
from support.site import Tenant, eventually, instant, streaming_from
from support.upstream import Upstream


def test_an_applied_job_becomes_ready_and_its_quotes_move(tenant: Tenant) -> None:
    tenant.apply()
    status = tenant.settled("Streaming")
    assert status["phase"] == "Running"
    assert status["stream"]["symbols"]["confirmed"] == 2
    assert {each["type"]: each["status"] for each in status["conditions"]}["CredentialsValid"] == "True"
    before = eventually(lambda: tenant.writes() if len(tenant.writes()) == 2 else None)
    eventually(lambda: all(tenant.writes()[symbol] > before[symbol] for symbol in before))
    quote = tenant.quotes()["SPY"]
    assert quote["session_id"] == tenant.heartbeat()["session_id"] == status["stream"]["heartbeat"]["sessionID"]
    assert quote["price"] == pytest.approx((quote["bid"] + quote["ask"]) / 2)
    assert int(tenant.heartbeat()["epoch"]) == status["epoch"]


def test_a_pause_stops_all_writes_and_resuming_restarts_them(tenant: Tenant) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    eventually(tenant.writes)
    tenant.patch(enabled=False)
    status = tenant.settled("Paused", seconds=10)
    assert status["phase"] == "Paused"
    assert tenant.condition("Paused")[0] == "True"
    pause = status["stream"]["pause"]
    assert instant(pause["socketClosedAt"]) <= instant(pause["acknowledgedAt"])
    before = tenant.writes()
    beat = tenant.heartbeat()
    eventually(lambda: tenant.heartbeat()["ts"] > beat["ts"])
    assert tenant.heartbeat()["status"] == "paused"
    time.sleep(1.0)
    assert tenant.writes() == before
    tenant.patch(enabled=True)
    tenant.settled("Streaming")
    eventually(lambda: all(tenant.writes()[symbol] > before[symbol] for symbol in before))


def test_a_pause_with_an_end_ends_by_itself(tenant: Tenant) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    end = instant(tenant.heartbeat()["ts"]) + timedelta(seconds=10)
    tenant.patch(pause={"reason": "vendor incident", "until": end.isoformat().replace("+00:00", "Z")})
    status = tenant.settled("Paused")
    assert status["stream"]["pause"]["reason"] == "vendor incident"
    status = tenant.settled("Streaming", seconds=40)
    assert instant(status["stream"]["heartbeat"]["at"]) >= end


def test_symbols_are_added_and_removed_on_the_same_connection(tenant: Tenant, upstream: Upstream) -> None:
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    tenant.apply(**streaming_from(upstream))
    tenant.settled("Streaming")
    eventually(lambda: set(tenant.quotes()) == {"SPY", "AAPL"})
    tenant.patch(symbols=["SPY", "MSFT", "BRK.B"])
    tenant.settled("Streaming")
    assert upstream.subscribed == {"SPY", "MSFT", "BRK.B"}
    eventually(lambda: set(tenant.quotes()) == {"SPY", "MSFT", "BRK.B"})
    assert len(upstream.record()["connections"]) == 1


def test_a_paused_symbol_is_unsubscribed_and_the_others_keep_streaming(tenant: Tenant, upstream: Upstream) -> None:
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    tenant.apply(**streaming_from(upstream))
    tenant.settled("Streaming")
    tenant.patch(pausedSymbols=[{"symbol": "AAPL", "reason": "bad prints"}])
    status = tenant.settled("Streaming")
    assert (status["stream"]["symbols"]["confirmed"], status["stream"]["symbols"]["paused"]) == (1, 1)
    assert upstream.subscribed == {"SPY"}
    eventually(lambda: tenant.quotes()["AAPL"]["status"] == "paused")
    assert "[PAUSED] Asset AAPL (quotes) has pause_fetch=true, skipping API fetch" in tenant.run("logs", "feed-ingest")
    tenant.patch(pausedSymbols=[])
    tenant.settled("Streaming")
    eventually(lambda: tenant.quotes()["AAPL"]["status"] == "live")
    assert len(upstream.record()["connections"]) == 1


def test_limits_and_dry_run_change_without_a_restart(tenant: Tenant) -> None:
    tenant.apply()
    uid = tenant.settled("Streaming")["stream"]["podUID"]
    eventually(tenant.writes)
    tenant.patch(dryRun=True)
    tenant.settled("Streaming")
    eventually(lambda: tenant.heartbeat()["dry_run"])
    before = tenant.writes()
    eventually(lambda: "would write" in tenant.run("logs", "feed-ingest", "--tail=5"))
    assert tenant.writes() == before
    tenant.patch(dryRun=False, limits={"minIntervalMilliseconds": 2000})
    status = tenant.settled("Streaming")
    assert status["stream"]["effectiveIntervalMilliseconds"] == 2000
    assert status["stream"]["podUID"] == uid


def test_a_job_created_paused_never_connects(tenant: Tenant, upstream: Upstream) -> None:
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    tenant.apply(enabled=False, **streaming_from(upstream))
    status = eventually(lambda: tenant.settled("Paused") if tenant.job()["status"].get("stream") else None)
    eventually(lambda: tenant.heartbeat().get("status") == "paused")
    assert "socketClosedAt" not in status["stream"]["pause"]
    assert upstream.record()["connections"] == []
    assert tenant.quotes() == {}


def test_waiting_for_a_condition_catches_a_mistyped_pause(tenant: Tenant) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    tenant.patch(enabeld=False)
    with pytest.raises(KubectlError, match="timed out"):
        tenant.run("wait", "ij/feed", "--for=condition=Paused", "--timeout=1s")


def test_the_table_shows_at_a_glance_whether_data_is_live(tenant: Tenant) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    eventually(lambda: tenant.job()["status"]["stream"]["symbols"]["live"] == "2/2")
    header, row = tenant.run("get", "ij").splitlines()
    columns = dict(zip(header.split(), row.split(), strict=False))
    assert columns["PHASE"] == "Running"
    assert columns["READY"] == "True"
    assert columns["LIVE"] == "2/2"
    assert columns["LAST-REPORT"].endswith("s")
    assert len(tenant.run("get", "ij", "feed", "-o", "json")) < 10_000
