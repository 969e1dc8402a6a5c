"""A plan knows what identifies a connection as the runtime does."""

from __future__ import annotations

from typing import Any

import pytest

from sluice_cli.model.plan.connections import connection_key, slot_holder
from sluice_cli.model.plan.document_claims import planned_job
from sluice_cli.model.plan.merged_document import with_defaults
from sluice_contract.resource import decode_ingest_job
from sluice_runtime.providers.registry import load_provider

SPECS: list[dict[str, Any]] = [
    {"provider": "alpaca", "alpaca": {"credentialsSecretRef": {"name": "a"}}},
    {"provider": "alpaca", "alpaca": {"credentialsSecretRef": {"name": "a"}, "feed": "iex"}},
    {"provider": "alpaca", "alpaca": {"credentialsSecretRef": {"name": "a"}, "feed": "sip"}},
    {"provider": "alpaca", "alpaca": {"credentialsSecretRef": {"name": "b"}, "feed": "sip"}},
    {"provider": "alpaca", "alpaca": {"credentialsSecretRef": {"name": "a"}, "streamURL": "wss://a.b"}},
    {"provider": "alpaca", "alpaca": {"credentialsSecretRef": {"name": "a"}, "feed": "sip", "streamURL": "wss://a.b"}},
    {"provider": "alpaca", "dryRun": True},
    {"provider": "ibkr", "ibkr": {"host": "GW"}},
    {"provider": "ibkr", "ibkr": {"host": "gw", "port": 4002, "clientID": 1}},
    {"provider": "ibkr", "ibkr": {"host": "gw", "clientID": 0}},
    {"provider": "synthetic"},
    {"provider": "replay", "replay": {"tape": {"configMapRef": {"name": "t"}}}},
]


def job(name: str, spec: dict[str, Any], namespace: str = "acme", *, acquired: bool = False) -> Any:
    status = {"stream": {"slot": {"acquired": True, "holder": name}}} if acquired else {}
    return planned_job({"metadata": {"namespace": namespace, "name": name}, "spec": spec, "status": status})


@pytest.mark.parametrize("first", SPECS, ids=str)
@pytest.mark.parametrize("second", SPECS, ids=str)
def test_two_jobs_share_a_connection_if_the_runtime_says_so(first: dict[str, Any], second: dict[str, Any]) -> None:
    keys, expected = [], []
    for each in (first, second):
        spec = {"tenant": "acme", "symbols": ["SPY"], **each}
        decoded = decode_ingest_job({"metadata": {"namespace": "acme", "name": "x"}, "spec": spec}).spec
        runtime_key = load_provider(decoded.provider).connection_key
        expected.append(runtime_key(decoded) if runtime_key is not None else None)
        keys.append(connection_key(with_defaults(spec)))
    assert [each is None for each in keys] == [each is None for each in expected]
    assert (keys[0] == keys[1]) == (expected[0] == expected[1])


def test_the_holder_is_the_job_that_reports_the_connection() -> None:
    spec = SPECS[0]
    new = job("new", spec)
    assert slot_holder(new, [new, job("a", spec), job("b", spec, acquired=True)]) == ("acme/b", "holds")
    assert slot_holder(new, [new, job("a", spec)]) == ("acme/a", "uses")
    assert slot_holder(new, [new, job("a", spec, "beta"), job("b", SPECS[2])]) == ("", "")
    assert slot_holder(job("x", SPECS[10]), [job("y", SPECS[10])]) == ("", "")
