"""Missing, wrong and unnecessary credentials: the error is a sentence, and the pod recovers without a restart."""

from __future__ import annotations

import json
import time

from support.service_account_keys import service_account_key
from support.site import Tenant, eventually, streaming_from
from support.upstream import Upstream


def test_the_error_names_a_missing_secret_and_the_job_recovers_when_it_appears(
    tenant: Tenant, upstream: Upstream
) -> None:
    tenant.apply(**streaming_from(upstream))
    eventually(lambda: tenant.condition("CredentialsValid") == ("False", "SecretIncomplete"))
    job = tenant.job()
    assert job["status"]["phase"] == "Blocked"
    [message] = [each["message"] for each in job["status"]["conditions"] if each["type"] == "CredentialsValid"]
    assert "kubectl create secret generic alpaca" in message
    uid = job["status"]["stream"]["podUID"]
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    assert tenant.settled("Streaming")["stream"]["podUID"] == uid


def test_a_rejected_key_is_tried_three_times_and_the_pod_recovers_without_a_restart(
    tenant: Tenant, upstream: Upstream
) -> None:
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="wr0ng-passw0rd")
    tenant.apply(**streaming_from(upstream))
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


def test_firestore_credentials_are_repaired_and_rotated_without_a_restart(tenant: Tenant) -> None:
    tenant.secret("google", **{"credentials.json": "spoilt"})
    tenant.apply(firestore={"credentialsSecretRef": {"name": "google"}})
    eventually(lambda: tenant.condition("SinkHealthy")[0] == "False")
    eventually(lambda: tenant.condition("Streaming")[0] == "True")
    job = tenant.job()
    [message] = [each["message"] for each in job["status"]["conditions"] if each["type"] == "SinkHealthy"]
    assert "there are no usable credentials for Firestore" in message
    pod = job["status"]["stream"]["podUID"]
    tenant.secret("google", **{"credentials.json": json.dumps(service_account_key("demo"))})
    assert tenant.settled("Streaming")["stream"]["podUID"] == pod
    eventually(tenant.quotes)
    tenant.secret("google", **{"credentials.json": json.dumps(service_account_key("demo"))})
    eventually(lambda: "Firestore's credentials have changed" in tenant.run("logs", "feed-ingest"))
    [before] = [each["seq"] for each in tenant.quotes().values() if each["symbol"] == "AAPL"]
    eventually(lambda: tenant.quotes()["AAPL"]["seq"] > before)
    [found] = tenant.pods()
    assert found["metadata"]["uid"] == pod
    assert found["status"]["containerStatuses"][0]["restartCount"] == 0


def test_a_key_that_is_added_to_a_mounted_secret_arrives_without_a_restart(tenant: Tenant, upstream: Upstream) -> None:
    tenant.secret("alpaca", ALPACA_KEY_ID="key", another_key="of another program")
    tenant.apply(**streaming_from(upstream))
    eventually(lambda: tenant.condition("CredentialsValid") == ("False", "SecretIncomplete"))
    conditions = tenant.job()["status"]["conditions"]
    [message] = [each["message"] for each in conditions if each["type"] == "CredentialsValid"]
    assert "ALPACA_SECRET_KEY" in message
    pod = tenant.job()["status"]["stream"]["podUID"]
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret", another_key="of another program")
    assert tenant.settled("Streaming")["stream"]["podUID"] == pod
    [volume] = [each for each in tenant.pods()[0]["spec"]["volumes"] if each["name"] == "alpaca"]
    assert [item["key"] for item in volume["secret"]["items"]] == ["ALPACA_KEY_ID", "ALPACA_SECRET_KEY"]
