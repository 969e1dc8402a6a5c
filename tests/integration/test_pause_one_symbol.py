"""Two people each pause one symbol, as the README shows it, on a real API server. And what a merge patch does instead.

Also looked for: a third manager that changes the job's symbols meanwhile, and a client-side apply of the whole job.
"""

from __future__ import annotations

import msgspec

from sluice_devcluster.kubectl import Kubectl
from support.site import Tenant

WARNING = "A merge patch (kubectl patch --type=merge) replaces the whole list"


def apply_pauses(tenant: Tenant, manager: str, *entries: dict[str, str]) -> None:
    """Apply these entries, and no other field of the spec, in the name of a field manager."""
    document = {
        "apiVersion": "sluice.dev/v1alpha1",
        "kind": "IngestJob",
        "metadata": {"name": "feed", "namespace": tenant.name},
        "spec": {"pausedSymbols": list(entries)},
    }
    text = msgspec.json.encode(document).decode()
    tenant.kubectl("apply", "--server-side", f"--field-manager={manager}", "-f", "-", text=text)


def paused(tenant: Tenant) -> set[str]:
    return {each["symbol"] for each in tenant.job()["spec"].get("pausedSymbols", [])}


def test_two_people_each_pause_one_symbol_and_neither_ends_the_other_s_pause(tenant: Tenant) -> None:
    tenant.apply(symbols=["SPY", "AAPL", "MSFT"], enabled=False)
    apply_pauses(tenant, "pause-AAPL", {"symbol": "AAPL", "reason": "bad prints"})
    apply_pauses(tenant, "pause-SPY", {"symbol": "SPY"})
    assert paused(tenant) == {"AAPL", "SPY"}
    apply_pauses(tenant, "pause-AAPL")
    assert paused(tenant) == {"SPY"}
    apply_pauses(tenant, "pause-SPY")
    assert paused(tenant) == set()
    spec = tenant.job()["spec"]
    assert (spec["symbols"], spec["enabled"]) == (["SPY", "AAPL", "MSFT"], False)


def test_a_pause_of_one_symbol_survives_a_new_version_of_the_document(tenant: Tenant) -> None:
    tenant.apply(symbols=["SPY", "AAPL"], enabled=False)
    apply_pauses(tenant, "pause-AAPL", {"symbol": "AAPL"})
    tenant.apply(symbols=["SPY", "AAPL", "MSFT"], enabled=False)
    assert paused(tenant) == {"AAPL"}
    assert tenant.job()["spec"]["symbols"] == ["SPY", "AAPL", "MSFT"]


def test_a_merge_patch_replaces_the_whole_list(tenant: Tenant) -> None:
    tenant.apply(symbols=["SPY", "AAPL"], enabled=False)
    apply_pauses(tenant, "pause-AAPL", {"symbol": "AAPL"})
    tenant.patch(pausedSymbols=[{"symbol": "SPY"}])
    assert paused(tenant) == {"SPY"}


def test_explain_warns_of_the_merge_patch(kubectl: Kubectl) -> None:
    for field in ("symbols", "pausedSymbols"):
        assert WARNING in " ".join(kubectl("explain", f"ij.spec.{field}").split())
