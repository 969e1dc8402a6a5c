"""IngestPolicies and jobs for tests."""

from __future__ import annotations

from typing import Any

import msgspec

from sluice_contract.policies import IngestPolicy
from sluice_operator.domain import objects
from sluice_operator.domain.document_claims import creation_order
from sluice_operator.domain.objects import Job
from sluice_operator.domain.policy_evaluation import PolicedJob

from .world import KEY, SYNTHETIC

ALPACA: dict[str, Any] = {
    "tenant": "acme",
    "provider": "alpaca",
    "symbols": ["SPY"],
    "alpaca": {"credentialsSecretRef": {"name": "alpaca"}},
}


def policy(name: str = "tenants", **spec: Any) -> IngestPolicy:
    """Return a policy that selects every namespace of a tenant, unless `spec` says otherwise."""
    document = {
        "metadata": {"name": name, "uid": f"uid-{name}", "generation": 1},
        "spec": {"namespaceSelector": {}} | spec,
    }
    return msgspec.convert(document, IngestPolicy)


def job(name: str = KEY[1], minute: int = 0, namespace: str = KEY[0], **spec: Any) -> Job:
    """Return a job that was created in this minute. SYNTHETIC is its spec, changed by `spec`."""
    created = f"2026-03-02T14:{minute:02}:00Z"
    metadata = {"namespace": namespace, "name": name, "uid": f"uid-{name}", "generation": 1}
    return objects.decode_job({"metadata": metadata | {"creationTimestamp": created}, "spec": SYNTHETIC | spec})


def policed(name: str = KEY[1], minute: int = 0, **spec: Any) -> PolicedJob:
    """Return what policies concern of such a job."""
    found = job(name, minute, **spec)
    assert found.spec is not None, found.problem
    return PolicedJob(KEY[0], name, creation_order(found), found.spec)


def symbols(count: int) -> list[str]:
    """Return this number of symbols."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return [f"X{letters[number // 26 % 26]}{letters[number % 26]}{number // 676}" for number in range(count)]
