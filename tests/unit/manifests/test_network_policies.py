"""The connections that the network policies allow. They are checked as manifests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec.yaml
import pytest

from sluice_contract import identity

MANIFESTS = Path(__file__).resolve().parents[3] / "manifests"
NODE_LOCAL_DNS = {"ipBlock": {"cidr": "169.254.20.10/32"}}


def policies() -> dict[str, dict[str, Any]]:
    """Return each NetworkPolicy of the base and the samples, by file name."""
    files = [
        *(MANIFESTS / "base").glob("*network-policy*.yaml"),
        *(MANIFESTS / "samples").glob("*network-policy*.yaml"),
    ]
    return {path.name: msgspec.yaml.decode(path.read_bytes()) for path in files}


# No namespace selector matches NodeLocal DNSCache.
@pytest.mark.parametrize("name", policies())
def test_dns_is_allowed_to_pods_and_to_the_cache_on_the_node(name: str) -> None:
    rules = policies()[name]["spec"]["egress"]
    dns = [rule for rule in rules if {"protocol": "UDP", "port": 53} in rule["ports"]]
    assert [rule["to"] for rule in dns] == [[{"namespaceSelector": {}}], [NODE_LOCAL_DNS]]
    assert dns[0]["ports"] == dns[1]["ports"]


def test_a_tenant_s_pods_are_reached_from_their_namespace_and_from_those_labelled_for_monitoring() -> None:
    policy = policies()["network-policy.yaml"]
    assert "Ingress" in policy["spec"]["policyTypes"]
    assert policy["spec"]["podSelector"] == {"matchLabels": {identity.MANAGED_BY_LABEL: identity.MANAGED_BY}}
    own_namespace: dict[str, Any] = {"podSelector": {}}
    monitoring = {"namespaceSelector": {"matchLabels": {"sluice.dev/monitoring": "true"}}}
    port = {"protocol": "TCP", "port": identity.HTTP_PORT}
    assert policy["spec"]["ingress"] == [{"from": [own_namespace, monitoring], "ports": [port]}]


def test_the_operator_s_metrics_are_reached_from_namespaces_labelled_for_monitoring() -> None:
    monitoring = {"namespaceSelector": {"matchLabels": {"sluice.dev/monitoring": "true"}}}
    port = {"protocol": "TCP", "port": 8080}
    assert policies()["operator-network-policy.yaml"]["spec"]["ingress"] == [{"from": [monitoring], "ports": [port]}]
