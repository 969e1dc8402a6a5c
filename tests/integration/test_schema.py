"""The IngestJob's schema, as a real API server enforces it."""

from __future__ import annotations

from typing import Any

import pytest

from sluice_contract.schema import field_rows, open_api_schema
from sluice_devcluster.kubectl import Kubectl, KubectlError
from support.site import Tenant

SECRET = {"name": "alpaca"}

BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a lower-case symbol": ({"symbols": ["spy"]}, "spec.symbols[0]"),
    "a lower-case symbol to pause": ({"pausedSymbols": [{"symbol": "aapl"}]}, "spec.pausedSymbols[0].symbol"),
    "no symbols": ({"symbols": []}, "spec.symbols"),
    "an unknown provider": ({"provider": "carrier-pigeon"}, "Unsupported value"),
    "a block of another provider": ({"alpaca": {"feed": "iex"}}, "spec.alpaca is used only by provider alpaca"),
    "alpaca without credentials": ({"provider": "alpaca"}, "name a Secret with the keys ALPACA_KEY_ID"),
    "an unknown feed": (
        {"provider": "alpaca", "alpaca": {"feed": "opra", "credentialsSecretRef": SECRET}},
        'Unsupported value: "opra"',
    ),
    "a stream URL that is none": (
        {"provider": "alpaca", "alpaca": {"streamURL": "https://example.com", "credentialsSecretRef": SECRET}},
        "spec.alpaca.streamURL",
    ),
    "a REST URL that is none": (
        {"provider": "alpaca", "alpaca": {"dataURL": "wss://example.com", "credentialsSecretRef": SECRET}},
        "spec.alpaca.dataURL",
    ),
    "a label of the operator's": (
        {"pod": {"labels": {"sluice.dev/tenant": "other"}}},
        "cannot have keys of sluice.dev",
    ),
    "a label that is none": ({"pod": {"labels": {"a b": "c"}}}, "is not a qualified name"),
    "a variable of somebody else's": ({"pod": {"env": [{"name": "PYTHONPATH", "value": "/"}]}}, "Unsupported value"),
    "a switch that is neither on nor off": (
        {"pod": {"env": [{"name": "INGEST_ENABLED", "value": "halt"}]}},
        "INGEST_ENABLED must be one of these",
    ),
    "a log level that is none": (
        {"pod": {"env": [{"name": "LOG_LEVEL", "value": "loud"}]}},
        "LOG_LEVEL must be one of",
    ),
    "a back-off of no time": (
        {"pod": {"env": [{"name": "RECONNECT_BACKOFF_MAX_S", "value": "0"}]}},
        "must be seconds above 0",
    ),
    "memory without measure": (
        {"pod": {"resources": {"limits": {"memory": "much"}}}},
        "spec.pod.resources.limits.memory",
    ),
    "a toleration of nothing": ({"pod": {"tolerations": [{"value": "a"}]}}, "a toleration without a key"),
    "a replay without a tape": ({"provider": "replay"}, "name the ConfigMap or the PersistentVolumeClaim"),
    "a tape in two places": (
        {"provider": "replay", "replay": {"tape": {"configMapRef": {"name": "a"}, "claimRef": {"name": "a"}}}},
        "spec.replay.tape needs exactly one location",
    ),
    "a tape out of its volume": (
        {"provider": "replay", "replay": {"tape": {"claimRef": {"name": "a", "path": "../etc/passwd"}}}},
        "spec.replay.tape.claimRef.path",
    ),
    "ibkr without a gateway": ({"provider": "ibkr"}, "set it to the host of an IB Gateway or TWS"),
    "ibkr without a host": ({"provider": "ibkr", "ibkr": {"port": 4001}}, 'required field "host"'),
    "a host that is a URL": ({"provider": "ibkr", "ibkr": {"host": "tcp://gateway"}}, "spec.ibkr.host"),
    "a port that is none": ({"provider": "ibkr", "ibkr": {"host": "gateway", "port": 70000}}, "spec.ibkr.port"),
    "a negative client id": ({"provider": "ibkr", "ibkr": {"host": "gateway", "clientID": -1}}, "spec.ibkr.clientID"),
    "bars of ibkr": (
        {"provider": "ibkr", "ibkr": {"host": "gateway"}, "channels": ["quotes", "bars"]},
        "provider ibkr has no one-minute bars",
    ),
    "a gateway of another provider": ({"ibkr": {"host": "gateway"}}, "spec.ibkr is used only by provider ibkr"),
    "a reserved collection": ({"firestore": {"liveQuotesCollection": "users"}}, "this collection name is reserved"),
    "no writes at all": ({"limits": {"writesPerSecond": 0}}, "spec.limits.writesPerSecond"),
    "a pause until no time": ({"pause": {"until": "soon"}}, "write one like 2026-11-23T14:00:00Z"),
    "a pause until a day that there is not": ({"pause": {"until": "2026-02-30T00:00:00Z"}}, "must be an RFC 3339 time"),
    "a pause of a symbol until no time": (
        {"pausedSymbols": [{"symbol": "SPY", "until": "2026-11-23T14:00:00+99:99"}]},
        "write one like 2026-11-23T14:00:00Z",
    ),
    "a pause until an array": ({"pause": {"until": []}}, 'got "array", expected "string"'),
    "a symbol paused twice": ({"pausedSymbols": [{"symbol": "SPY"}, {"symbol": "SPY"}]}, "duplicate entries"),
    "a tenant with a slash": ({"tenant": "a/b"}, "spec.tenant"),
    "a mistyped field": ({"enabeld": False}, "enabeld"),
}


@pytest.mark.parametrize(("spec", "sentence"), BAD.values(), ids=BAD.keys())
def test_a_bad_document_is_rejected_with_a_message(tenant: Tenant, spec: dict[str, Any], sentence: str) -> None:
    with pytest.raises(KubectlError) as refusal:
        tenant.apply(**spec)
    assert sentence in str(refusal.value)


def test_a_name_too_long_for_the_pod_s_name_is_rejected(tenant: Tenant) -> None:
    tenant.apply("n" * 56, enabled=False)
    with pytest.raises(KubectlError, match="at most 56 characters"):
        tenant.apply("n" * 57, enabled=False)


def test_the_tenant_of_a_job_cannot_change(tenant: Tenant) -> None:
    tenant.apply(enabled=False)
    with pytest.raises(KubectlError, match="immutable"):
        tenant.patch(tenant="other")


def test_absent_fields_get_their_defaults(tenant: Tenant) -> None:
    tenant.apply(limits=None, heartbeat=None, synthetic=None, enabled=False)
    spec = tenant.job()["spec"]
    assert spec["limits"] == {
        "minIntervalMilliseconds": 1000,
        "writesPerSecond": 20,
        "burst": 40,
        "flushIntervalMilliseconds": 200,
        "maxSpreadPercent": 20,
    }
    assert spec["heartbeat"] == {"intervalSeconds": 15, "document": "market_ingest"}
    assert spec["firestore"]["database"] == "(default)"


def test_a_gateway_s_port_and_client_id_have_defaults(tenant: Tenant) -> None:
    tenant.apply(provider="ibkr", ibkr={"host": "gateway.acme.svc"}, enabled=False)
    assert tenant.job()["spec"]["ibkr"] == {"host": "gateway.acme.svc", "port": 4002, "clientID": 1}


def test_two_thousand_symbols_are_accepted_and_one_more_is_not(tenant: Tenant) -> None:
    tenant.apply(symbols=[f"S{number}" for number in range(2000)], enabled=False)
    with pytest.raises(KubectlError, match="Too many"):
        tenant.apply(symbols=[f"S{number}" for number in range(2001)], enabled=False)


def test_every_field_is_explained(kubectl: Kubectl) -> None:
    for path, field, _ in field_rows(open_api_schema()):
        if path.startswith(("spec", "status")) and path.count(".") <= 1:
            explained = " ".join(kubectl("explain", f"ij.{path.replace('[]', '')}").split())
            assert " ".join(field["description"].split())[:60] in explained, path


def test_a_job_is_found_by_its_short_name_and_its_category(tenant: Tenant) -> None:
    tenant.apply(enabled=False)
    assert "feed" in tenant.run("get", "ij")
    assert "feed" in tenant.run("get", "sluice")
