"""Jobs that ask for what the platform does not allow, on a real API server. The pods are processes."""

from __future__ import annotations

from typing import Any

from sluice_contract import conditions as c
from support.site import Tenant, eventually, streaming_from
from support.upstream import Upstream


def other_host(upstream: Upstream) -> dict[str, Any]:
    """Return the spec fields of a job that reaches the server by a name that the platform does not allow."""
    spec = streaming_from(upstream)
    spec["alpaca"]["streamURL"] = upstream.url.replace("127.0.0.1", "localhost")
    return spec


def stalled_message(tenant: Tenant) -> str:
    """Wait until the job is stalled because it is denied; return the message."""
    eventually(lambda: tenant.condition(c.STALLED) == ("True", c.POLICY_DENIED))
    conditions = tenant.job()["status"]["conditions"]
    return next(str(each["message"]) for each in conditions if each["type"] == c.STALLED)


def test_a_host_that_is_not_allowed_gets_no_connection_and_the_job_says_what_to_do(
    tenant: Tenant, upstream: Upstream
) -> None:
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    tenant.apply(**other_host(upstream))
    message = stalled_message(tenant)
    assert message.startswith("spec.alpaca.streamURL would send the credentials to ws://localhost:")
    assert "to SLUICE_PROVIDER_HOSTS. No pod is created." in message
    assert tenant.pods() == []
    eventually(lambda: "Warning" in tenant.run("get", "events", "--field-selector=reason=PolicyDenied"))
    tenant.patch(enabled=False)
    tenant.settled("Paused")
    assert tenant.condition(c.PAUSED) == ("True", c.NOTHING_CONNECTED)
    assert (tenant.pods(), upstream.record()["connections"]) == ([], [])
    tenant.patch(enabled=True, **streaming_from(upstream))
    tenant.settled("Streaming")


def test_a_running_pod_keeps_its_connection_when_its_job_names_another_host_and_obeys_a_stop(
    tenant: Tenant, upstream: Upstream
) -> None:
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    tenant.apply(**streaming_from(upstream))
    uid = tenant.settled("Streaming")["stream"]["podUID"]
    tenant.patch(**other_host(upstream))
    assert stalled_message(tenant).endswith("The present pod continues with the spec that it was created with.")
    written = tenant.writes()
    eventually(lambda: all(tenant.writes()[symbol] > written[symbol] for symbol in written))
    assert [pod["metadata"]["uid"] for pod in tenant.pods()] == [uid]
    tenant.patch(enabled=False)
    assert tenant.settled("Paused")["stream"]["podUID"] == uid
    assert tenant.condition(c.PAUSED) == ("True", c.PAUSED_REASON)
    assert len(upstream.record()["connections"]) == 1


def test_a_denied_value_of_spec_pod_is_named_and_its_removal_starts_the_job(tenant: Tenant) -> None:
    tenant.apply(pod={"tolerations": [{"operator": "Exists"}], "annotations": {"sidecar.istio.io/inject": "true"}})
    assert "spec.pod.annotations has the key sidecar.istio.io/inject" in stalled_message(tenant)
    tenant.patch(pod={"annotations": None})
    eventually(lambda: "spec.pod.tolerations[0] has no key" in stalled_message(tenant))
    tenant.patch(pod={"tolerations": None, "priorityClassName": "system-node-critical"})
    eventually(lambda: "spec.pod.priorityClassName is system-node-critical" in stalled_message(tenant))
    assert tenant.pods() == []
    tenant.patch(pod=None)
    tenant.settled("Streaming")


def test_a_gateway_of_another_namespace_gets_no_pod(tenant: Tenant) -> None:
    tenant.apply(provider="ibkr", ibkr={"host": "gateway.other.svc"})
    assert f"such as gateway.{tenant.name}.svc" in stalled_message(tenant)
    assert tenant.pods() == []
