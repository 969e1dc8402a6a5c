"""The documents of a symbol that is removed while no pod runs, on a real API server."""

from __future__ import annotations

from typing import Any

from sluice_devcluster.emulator_documents import read_collection
from sluice_devcluster.quickstart import Quickstart
from support.site import Tenant, eventually


def records(site: Quickstart, tenant: Tenant) -> dict[str, dict[str, Any]]:
    """Return the tenant's records, by symbol."""
    found = read_collection(site.emulator, f"tenants/{tenant.name}/ingest_state")
    return {each["canonical_symbol"]: each for each in found}


def test_a_symbol_removed_during_a_pod_replacement_leaves_no_quote(tenant: Tenant, site: Quickstart) -> None:
    tenant.apply()
    first = tenant.settled("Streaming")
    eventually(lambda: set(tenant.quotes()) == {"SPY", "AAPL"} == set(records(site, tenant)))
    # Both changes at once: the old pod may never see the new symbols, and the new pod never had AAPL.
    tenant.patch(symbols=["SPY", "MSFT"], synthetic={"quotesPerSecond": 40})
    eventually(lambda: tenant.settled("Streaming")["epoch"] != first["epoch"], 40)
    eventually(lambda: set(tenant.quotes()) == {"SPY", "MSFT"})
    eventually(lambda: records(site, tenant)["AAPL"]["status"] == "removed")
    assert {symbol: each["job"] for symbol, each in records(site, tenant).items()} == {
        "SPY": f"{tenant.name}/feed",
        "MSFT": f"{tenant.name}/feed",
        "AAPL": None,
    }
    assert tenant.quotes()["MSFT"]["job"] == f"{tenant.name}/feed"
