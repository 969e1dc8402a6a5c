"""Examples for the generated pages of docs/: an IngestJob for each provider, pauses, and a policy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec.yaml

from . import identity
from .providers import BLOCK_TYPES


def example_job(provider: str) -> dict[str, Any]:
    """Return the manifest of an example job of the provider."""
    block = BLOCK_TYPES[provider].example
    spec = {"tenant": "acme", "provider": provider, "symbols": ["SPY", "AAPL"]}
    return {
        "apiVersion": identity.API_VERSION,
        "kind": identity.KIND,
        "metadata": {"name": "us-equities", "namespace": "acme"},
        "spec": spec | ({provider: block} if block else {}),
    }


def examples_section() -> str:
    """Return the section of the page with one example for each provider."""
    return "\n".join(["## Examples", *map(_example, BLOCK_TYPES), ""])


def _example(provider: str) -> str:
    manifest = msgspec.yaml.encode(example_job(provider)).decode()
    return f"\nProvider {provider}:\n\n```yaml\n{manifest}```"


def example_pauses() -> dict[str, dict[str, Any]]:
    """Return the manifests of example pauses, by what each of them pauses.

    None of them has an end: a copy of a pause whose end has passed would stop nothing.
    """
    return {
        "One job, by name": _pause("us-equities-x7k2p", {"jobs": ["us-equities"], "reason": "vendor incident"}),
        "One symbol, in every job of the namespace": _pause(
            "aapl", {"jobSelector": {}, "symbols": ["AAPL"], "reason": "split; wait for the vendor"}
        ),
        "The jobs with a label": _pause(
            "rates-desk", {"jobSelector": {"matchLabels": {"desk": "rates"}}, "reason": "desk closed for the week"}
        ),
        "One feed, in every namespace": _cluster_pause(
            "feed-incident",
            {"providers": [_EXAMPLE_FEEDS], "reason": "bad prints since 14:02"},
        ),
        "Every job in every namespace": _cluster_pause("all", {"reason": "migration of the database"}),
    }


def example_policy() -> dict[str, Any]:
    """Return the manifest of an example policy."""
    spec = {
        "namespaceSelector": {"matchExpressions": [{"key": identity.TENANT_LABEL, "operator": "Exists"}]},
        "mode": "Warn",
        "message": "Quotas and feeds: platform@example.com",
        "providers": [_EXAMPLE_FEEDS, {"name": _LAST_PROVIDER}],
        "perJob": {"symbols": 500, "writesPerSecond": 50, "writesPerDay": 2_000_000},
        "perNamespace": {"symbols": 2000, "writesPerSecond": 200},
    }
    return {"apiVersion": identity.API_VERSION, "kind": identity.POLICY_KIND, "metadata": {"name": "tenants"}} | {
        "spec": spec
    }


_FIRST_PROVIDER, *_, _LAST_PROVIDER = BLOCK_TYPES
_EXAMPLE_FEEDS = {"name": _FIRST_PROVIDER, "feeds": [BLOCK_TYPES[_FIRST_PROVIDER].example["feed"]]}


def titled_examples(manifests: Iterable[tuple[str, dict[str, Any]]]) -> str:
    """Return a text with each manifest below its title."""
    return "".join(f"\n{title}:\n\n```yaml\n{msgspec.yaml.encode(each).decode()}```\n" for title, each in manifests)


def _pause(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "acme"}
    return {"apiVersion": identity.API_VERSION, "kind": identity.PAUSE_KIND, "metadata": metadata, "spec": spec}


def _cluster_pause(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    kind = identity.CLUSTER_PAUSE_KIND
    return {"apiVersion": identity.API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}
