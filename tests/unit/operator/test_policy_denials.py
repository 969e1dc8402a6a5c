"""What merged IngestPolicies deny to a job, and that their order makes no difference."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from sluice_contract import conditions as c
from sluice_contract.policies import IngestPolicy
from sluice_operator.domain.merged_policy import Bound, MergedPolicy, merge_policies
from sluice_operator.domain.policy_denials import PolicyDenial, denial_of_single_job

from .policies import ALPACA, policed, policy, symbols

CREDENTIALS: dict[str, Any] = ALPACA["alpaca"]


def denial(*policies: IngestPolicy, **spec: Any) -> PolicyDenial | None:
    job = policed(**spec)
    return denial_of_single_job(job.spec, job.namespace, merge_policies(policies))


def alpaca(**settings: Any) -> dict[str, Any]:
    return ALPACA | {"alpaca": CREDENTIALS | settings}


def gateway(host: str) -> dict[str, Any]:
    return {"provider": "ibkr", "ibkr": {"host": host}}


@pytest.mark.parametrize(
    ("bounds", "spec"),
    [
        ({}, {}),
        ({"providers": [{"name": "synthetic"}]}, {}),
        ({"providers": [{"name": "alpaca", "feeds": ["iex"]}]}, ALPACA),
        ({"providers": [{"name": "alpaca", "feeds": ["iex"]}]}, {"provider": "alpaca", "dryRun": True}),
        ({"providers": [{"name": "alpaca", "feeds": ["iex"]}, {"name": "alpaca", "feeds": ["sip"]}]}, ALPACA),
        ({"hosts": ["*.alpaca.markets"]}, ALPACA),
        ({"hosts": ["*.alpaca.markets", "proxy.example"]}, alpaca(streamURL="wss://PROXY.example:8443/v2/iex")),
        ({"hosts": []}, {}),
        ({"hosts": []}, {"provider": "alpaca", "dryRun": True}),
        ({"hosts": []}, gateway("gateway.acme.svc")),
        ({"hosts": ["10.0.0.7"]}, gateway("10.0.0.7")),
        ({"perJob": {"symbols": 2}}, {}),
        ({"perJob": {"writesPerSecond": 1, "writesPerDay": 20_000}}, {}),
    ],
)
def test_a_job_within_the_bounds_is_not_denied(bounds: dict[str, Any], spec: dict[str, Any]) -> None:
    assert denial(policy(**bounds), **spec) is None


@pytest.mark.parametrize(
    ("bounds", "spec", "sentence"),
    [
        (
            {"providers": [{"name": "alpaca"}, {"name": "ibkr"}]},
            {},
            "does not allow provider synthetic: use one that it allows (alpaca, ibkr).",
        ),
        ({"providers": []}, {}, "does not allow provider synthetic: use one that it allows (none)."),
        (
            {"providers": [{"name": "alpaca", "feeds": ["iex", "sip"]}]},
            alpaca(feed="boats"),
            "does not allow feed boats of provider alpaca: use a feed that it allows (iex, sip).",
        ),
        (
            {"providers": [{"name": "synthetic", "feeds": ["iex"]}]},
            {},
            "does not allow a job without a feed of provider synthetic: use a feed that it allows (iex).",
        ),
        (
            {"hosts": ["*.alpaca.markets"]},
            alpaca(streamURL="wss://alpaca.markets.evil.example/v2/iex"),
            "does not allow host alpaca.markets.evil.example (spec.alpaca.streamURL): use one that it allows "
            "(*.alpaca.markets).",
        ),
        ({"hosts": ["*.alpaca.markets"]}, alpaca(streamURL="wss://alpaca.markets/x"), "host alpaca.markets (spec"),
        (
            {"hosts": []},
            ALPACA,
            "host stream.data.alpaca.markets (spec.alpaca.streamURL): use one that it allows (none).",
        ),
        ({"hosts": ["a.example"]}, gateway("gateway.other.svc"), "host gateway.other.svc (spec.ibkr.host): use one"),
        ({"perJob": {"symbols": 1}}, {}, "allows 1 in a job: remove symbols, or declare them in several jobs."),
    ],
)
def test_a_denial_names_the_policy_the_bound_and_the_value(
    bounds: dict[str, Any], spec: dict[str, Any], sentence: str
) -> None:
    found = denial(policy(message="Quotas: platform@example.com", **bounds), **spec)
    assert found is not None
    assert (found.reason, found.policy) == (c.POLICY_DENIED, "tenants")
    assert "IngestPolicy tenants" in found.message
    assert sentence in found.message
    assert found.message.endswith(". Quotas: platform@example.com")


POLICIES = (
    policy("a", dryRun=True, message="Ask a.", hosts=["*.alpaca.markets"], perJob={"symbols": 3}),
    policy("b", message="Ask b.", providers=[{"name": "alpaca", "feeds": ["iex", "sip"]}, {"name": "synthetic"}]),
    policy("c", message="Ask b.", providers=[{"name": "alpaca", "feeds": ["sip"]}], perJob={"symbols": 2}),
    policy("d", perJob={"symbols": 2, "writesPerSecond": 9}, perNamespace={"symbols": 5}),
)


def test_merging_keeps_every_bound_in_any_order() -> None:
    results = [merge_policies(order) for order in permutations(POLICIES)]
    assert all(each == results[0] for each in results)
    merged: MergedPolicy = results[0]
    assert (merged.dry_run_policy, merged.message) == ("a", "Ask a. Ask b.")
    assert merged.job_bounds == {"symbols": Bound(2, "c"), "writes_per_second": Bound(9, "d")}
    assert merged.namespace_bounds == {"symbols": Bound(5, "d")}


@pytest.mark.parametrize(
    ("spec", "denied_by"),
    [
        (alpaca(feed="sip"), None),
        (ALPACA, "c"),
        ({}, "c"),
        (alpaca(feed="boats"), "b"),
        (alpaca(feed="sip", streamURL="wss://evil.example"), "a"),
        (alpaca(feed="sip") | {"symbols": symbols(3)}, "c"),
    ],
)
def test_the_first_policy_by_name_that_denies_a_job_is_named_in_any_order(
    spec: dict[str, Any], denied_by: str | None
) -> None:
    found = [denial(*order, **spec) for order in permutations(POLICIES)]
    assert {each.policy if each is not None else None for each in found} == {denied_by}
    assert len(set(found)) == 1


def test_a_message_is_cut_to_the_bound_of_the_status() -> None:
    found = denial(*(policy(name, message=name * 250, providers=[]) for name in "abc"))
    assert found is not None
    assert len(found.message) == 512
    assert found.message.startswith("IngestPolicy a does not allow provider synthetic")
