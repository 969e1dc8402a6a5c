"""Each network policy that allows DNS also allows NodeLocal DNSCache, which no namespace selector matches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec.yaml
import pytest

MANIFESTS = Path(__file__).resolve().parents[3] / "manifests"
NODE_LOCAL_DNS = {"ipBlock": {"cidr": "169.254.20.10/32"}}


def policies() -> dict[str, dict[str, Any]]:
    """Return each NetworkPolicy of the base and the samples, by file name."""
    files = [
        *(MANIFESTS / "base").glob("*network-policy*.yaml"),
        *(MANIFESTS / "samples").glob("*network-policy*.yaml"),
    ]
    return {path.name: msgspec.yaml.decode(path.read_bytes()) for path in files}


@pytest.mark.parametrize("name", policies())
def test_dns_is_allowed_to_pods_and_to_the_cache_on_the_node(name: str) -> None:
    rules = policies()[name]["spec"]["egress"]
    dns = [rule for rule in rules if {"protocol": "UDP", "port": 53} in rule["ports"]]
    assert [rule["to"] for rule in dns] == [[{"namespaceSelector": {}}], [NODE_LOCAL_DNS]]
    assert dns[0]["ports"] == dns[1]["ports"]
