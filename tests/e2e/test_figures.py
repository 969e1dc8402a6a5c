"""The times that a user waits, with kubectl's own start, written to build/e2e/figures.json. No test limits them."""

from __future__ import annotations

import json
import statistics
import time

from sluice_devcluster.emulator_documents import read_collection
from support.kind import KindCluster
from support.site import Tenant, eventually

SAMPLES = 20


def summary(seconds: list[float]) -> dict[str, object]:
    """Return the median, the maximum and all values."""
    return {
        "median": round(statistics.median(seconds), 2),
        "worst": round(max(seconds), 2),
        "samples": [round(each, 2) for each in seconds],
    }


def first_quote_seconds(tenant: Tenant, firestore: str, job: str) -> float:
    """Return the time from `kubectl apply` to the first quote in Firestore, with the schema's defaults."""
    asked = time.monotonic()
    own = {"liveQuotesCollection": f"{job}_quotes"}
    tenant.apply(job, limits=None, synthetic={"quotesPerSecond": 20}, heartbeat={"document": job}, firestore=own)
    where = f"tenants/{tenant.name}/{job}_quotes"
    eventually(lambda: read_collection(firestore, where), seconds=60, every=0.02)
    return time.monotonic() - asked


def pause_seconds(tenant: Tenant, job: str) -> float:
    """Return the time from `kubectl patch` to the end of `kubectl wait` for the acknowledgement."""
    asked = time.monotonic()
    tenant.patch(job, enabled=False)
    tenant.run("wait", f"ij/{job}", "--for=condition=Paused", "--timeout=10s")
    return time.monotonic() - asked


def test_first_quotes_and_pauses_are_measured(tenant: Tenant, firestore: str, cluster: KindCluster) -> None:
    quotes, pauses = [], []
    for number in range(SAMPLES):
        job = f"job-{number}"
        quotes.append(first_quote_seconds(tenant, firestore, job))
        tenant.settled("Streaming", job)
        pauses.append(pause_seconds(tenant, job))
        tenant.run("delete", "ij", job)
        eventually(lambda: not tenant.pods(), seconds=30)
    found = {"applied to first quote, s": summary(quotes), "pause patched to acknowledged, s": summary(pauses)}
    (cluster.folder / "figures.json").write_text(json.dumps(found, indent=2) + "\n")
