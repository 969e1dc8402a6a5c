"""An IngestJob's life, on a real API server, with the operator and the pods as they ship."""

from __future__ import annotations

import os
import signal
import time
from datetime import timedelta
from pathlib import Path

import pytest

from sluice_devcluster.kubectl import Kubectl, KubectlError
from support.site import Tenant, eventually, instant
from support.upstream import Upstream

OPERATOR = ("deployment/sluice-operator", "-n", "sluice-system")


def alpaca(upstream: Upstream) -> dict[str, object]:
    """A spec that streams from the protocol server."""
    return {
        "provider": "alpaca",
        "alpaca": {"streamURL": upstream.url, "credentialsSecretRef": {"name": "alpaca"}},
    }


def ingest_process(pod_uid: str) -> int:
    """The process of a pod, found by the pod's uid in its environment."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if f"POD_UID={pod_uid}".encode() in environment and b"sluice-runtime" in command:
            return int(folder.name)
    raise AssertionError(f"no process of pod {pod_uid}")


def test_an_applied_job_becomes_ready_and_its_quotes_move(tenant: Tenant) -> None:
    tenant.apply()
    status = tenant.settled("Streaming")
    assert status["phase"] == "Running"
    assert status["stream"]["symbols"]["live"] == "2/2"
    assert {each["type"]: each["status"] for each in status["conditions"]}["CredentialsValid"] == "True"
    before = eventually(lambda: tenant.writes() if len(tenant.writes()) == 2 else None)
    eventually(lambda: all(tenant.writes()[symbol] > before[symbol] for symbol in before))
    quote = tenant.quotes()["SPY"]
    assert quote["session_id"] == tenant.heartbeat()["session_id"] == status["stream"]["heartbeat"]["sessionID"]
    assert quote["price"] == pytest.approx((quote["bid"] + quote["ask"]) / 2)
    assert int(tenant.heartbeat()["epoch"]) == status["epoch"]


def test_a_pause_stops_all_writes_and_resuming_goes_on(tenant: Tenant) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    eventually(tenant.writes)
    asked = time.monotonic()
    tenant.patch(enabled=False)
    status = tenant.settled("Paused", seconds=10)
    assert time.monotonic() - asked < 2.0
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
    end = instant(tenant.heartbeat()["ts"]) + timedelta(seconds=6)
    tenant.patch(pause={"reason": "vendor incident", "until": end.isoformat().replace("+00:00", "Z")})
    status = tenant.settled("Paused")
    assert status["stream"]["pause"]["reason"] == "vendor incident"
    status = tenant.settled("Streaming")
    assert instant(status["stream"]["heartbeat"]["at"]) >= end


def test_symbols_come_and_go_on_the_same_connection(tenant: Tenant, upstream: Upstream) -> None:
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    tenant.apply(**alpaca(upstream))
    tenant.settled("Streaming")
    eventually(lambda: set(tenant.quotes()) == {"SPY", "AAPL"})
    tenant.patch(symbols=["SPY", "MSFT", "BRK.B"])
    tenant.settled("Streaming")
    assert upstream.subscribed == {"SPY", "MSFT", "BRK.B"}
    eventually(lambda: set(tenant.quotes()) == {"SPY", "MSFT", "BRK.B"})
    assert len(upstream.record()["connections"]) == 1


def test_a_paused_symbol_is_unsubscribed_and_the_others_go_on(tenant: Tenant, upstream: Upstream) -> None:
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    tenant.apply(**alpaca(upstream))
    tenant.settled("Streaming")
    tenant.patch(pausedSymbols=[{"symbol": "AAPL", "reason": "bad prints"}])
    status = tenant.settled("Streaming")
    assert (status["stream"]["symbols"]["live"], status["stream"]["symbols"]["paused"]) == ("1/1", 1)
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
    tenant.apply(enabled=False, **alpaca(upstream))
    status = eventually(lambda: tenant.settled("Paused") if tenant.job()["status"].get("stream") else None)
    eventually(lambda: tenant.heartbeat().get("status") == "paused")
    assert "socketClosedAt" not in status["stream"]["pause"]
    assert upstream.record()["connections"] == []
    assert tenant.quotes() == {}


def test_a_killed_process_is_restarted_in_the_same_pod(tenant: Tenant, upstream: Upstream) -> None:
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    tenant.apply(**alpaca(upstream))
    before = tenant.settled("Streaming")["stream"]
    os.kill(ingest_process(before["podUID"]), signal.SIGKILL)
    eventually(lambda: tenant.job()["status"]["stream"]["heartbeat"]["sessionID"] != before["heartbeat"]["sessionID"])
    after = tenant.settled("Streaming")["stream"]
    assert after["podUID"] == before["podUID"]
    assert upstream.record()["concurrent_max"] == 1


def test_a_deleted_pod_is_replaced_when_it_is_gone(tenant: Tenant, upstream: Upstream) -> None:
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    tenant.apply(**alpaca(upstream))
    before = tenant.settled("Streaming")
    tenant.run("delete", "pod", "feed-ingest")
    eventually(lambda: tenant.job()["status"]["stream"]["podUID"] != before["stream"]["podUID"])
    after = tenant.settled("Streaming")
    assert after["epoch"] > before["epoch"]
    assert upstream.record()["concurrent_max"] == 1
    assert len(tenant.pods()) == 1


def test_a_changed_cold_field_replaces_the_pod_old_first(tenant: Tenant, upstream: Upstream) -> None:
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    tenant.apply(**alpaca(upstream))
    before = tenant.settled("Streaming")
    tenant.patch(firestore={"liveQuotesCollection": "other_quotes"})
    eventually(lambda: tenant.job()["status"]["stream"]["podUID"] != before["stream"]["podUID"])
    tenant.settled("Streaming")
    assert upstream.record()["concurrent_max"] == 1


def test_a_deleted_job_leaves_nothing_of_its_own(tenant: Tenant) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    eventually(tenant.quotes)
    tenant.run("delete", "ij", "feed")
    eventually(lambda: not tenant.pods())
    eventually(lambda: tenant.heartbeat()["status"] == "stopped")
    assert set(tenant.quotes()) == {"SPY", "AAPL"}
    assert tenant.run("get", "serviceaccounts,rolebindings", "-o", "name").count("sluice-ingest") == 2


def test_a_deleted_job_goes_also_while_the_operator_is_down(tenant: Tenant, kubectl: Kubectl) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    kubectl("scale", *OPERATOR, "--replicas=0")
    try:
        kubectl("wait", "pod", "-n", "sluice-system", "--all", "--for=delete", "--timeout=60s")
        tenant.run("delete", "ij", "feed")
        eventually(lambda: not tenant.pods(), seconds=40)
    finally:
        kubectl("scale", *OPERATOR, "--replicas=1")
        kubectl("rollout", "status", *OPERATOR, "--timeout=60s")


def test_a_restarted_operator_changes_nothing(tenant: Tenant, kubectl: Kubectl) -> None:
    tenant.apply()
    before = tenant.settled("Streaming")
    kubectl("rollout", "restart", *OPERATOR)
    kubectl("rollout", "status", *OPERATOR, "--timeout=60s")
    tenant.patch(symbols=["SPY"])
    after = tenant.settled("Streaming")
    assert after["stream"]["podUID"] == before["stream"]["podUID"]
    assert after["stream"]["heartbeat"]["sessionID"] == before["stream"]["heartbeat"]["sessionID"]
    assert after["epoch"] == before["epoch"]


def test_a_missing_secret_is_named_and_recovers_when_it_appears(tenant: Tenant, upstream: Upstream) -> None:
    tenant.apply(**alpaca(upstream))
    eventually(lambda: tenant.condition("CredentialsValid") == ("False", "SecretIncomplete"))
    job = tenant.job()
    assert job["status"]["phase"] == "Blocked"
    [message] = [each["message"] for each in job["status"]["conditions"] if each["type"] == "CredentialsValid"]
    assert "kubectl create secret generic alpaca" in message
    uid = job["status"]["stream"]["podUID"]
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    assert tenant.settled("Streaming")["stream"]["podUID"] == uid


def test_a_refused_key_is_tried_three_times_and_recovers_in_place(tenant: Tenant, upstream: Upstream) -> None:
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="wr0ng-passw0rd")
    tenant.apply(**alpaca(upstream))
    eventually(lambda: tenant.condition("CredentialsValid") == ("False", "Refused"))
    eventually(lambda: tenant.job()["status"]["phase"] == "Blocked")
    time.sleep(2.0)
    assert len(upstream.record()["auths"]) == 3
    everything = tenant.run("get", "ij,pods,events", "-o", "yaml") + tenant.run("logs", "feed-ingest")
    assert "wr0ng-passw0rd" not in everything
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    tenant.settled("Streaming")


def test_alpaca_without_credentials_streams_simulated_quotes_in_a_dry_run(tenant: Tenant) -> None:
    tenant.apply(provider="alpaca", dryRun=True)
    tenant.settled("Streaming")
    eventually(lambda: "would write" in tenant.run("logs", "feed-ingest", "--tail=20"))
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
    header, row = tenant.run("get", "ij").splitlines()
    columns = dict(zip(header.split(), row.split(), strict=False))
    assert columns["PHASE"] == "Running"
    assert columns["READY"] == "True"
    assert columns["LIVE"] == "2/2"
    assert columns["HEARTBEAT"].endswith("s")
    assert len(tenant.run("get", "ij", "feed", "-o", "json")) < 10_000
