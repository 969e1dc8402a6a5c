"""100 stored jobs with the statuses that pods and operator report, and the Lease of an operator that leads."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from sluice_contract import identity
from sluice_devcluster.api import MERGE, ApiClient

TENANTS = 10
SYMBOLS = 30
_LEASES = "/apis/coordination.k8s.io/v1/namespaces/sluice-system/leases"


async def create_jobs(api: ApiClient, count: int) -> None:
    """Create the jobs in ten namespaces. Each tenth job is paused, and each tenth backs off; the others stream."""
    for name in ("sluice-system", *(f"tenant-{number}" for number in range(TENANTS))):
        labels = {} if name == "sluice-system" else {identity.TENANT_LABEL: name}
        await api.post("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
    now = datetime.now(UTC)
    duration = {"holderIdentity": "sluice-operator-7c9f_1", "leaseDurationSeconds": 3600, "renewTime": _text(now)}
    await api.post(_LEASES, {"metadata": {"name": "sluice-operator"}, "spec": duration})
    await asyncio.gather(*(_create_job(api, number, now) for number in range(count)))


async def _create_job(api: ApiClient, number: int, now: datetime) -> None:
    tenant = f"tenant-{number % TENANTS}"
    path = f"/apis/{identity.API_VERSION}/namespaces/{tenant}/{identity.PLURAL}"
    name = f"us-equities-{number}"
    spec = {
        "tenant": tenant,
        "provider": "synthetic",
        "symbols": [f"S{each}" for each in range(SYMBOLS)],
        "heartbeat": {"document": name},
        "firestore": {"liveQuotesCollection": f"quotes-{number}"},
    }
    metadata = {"name": name, "labels": {"desk": tenant}}
    await api.post(
        path, {"apiVersion": identity.API_VERSION, "kind": identity.KIND, "metadata": metadata, "spec": spec}
    )
    await api.patch(f"{path}/{name}/status", {"status": _status(number, now)}, MERGE)


def _status(number: int, now: datetime) -> dict[str, Any]:
    state = {8: "Paused", 9: "BackingOff"}.get(number // TENANTS % 10, "Live")
    is_live = state == "Live"
    phase, reason = {"Live": ("Running", "Streaming"), "Paused": ("Paused", "Paused")}.get(
        state, ("Degraded", "BackingOff")
    )
    conditions = [
        _condition("Ready", reason, now, is_true=state != "BackingOff"),
        _condition("Streaming", reason, now, is_true=is_live),
        _condition("CredentialsValid", "NotNeeded", now, is_true=True),
        _condition("SinkHealthy", "WritesAccepted", now, is_true=True),
    ]
    if state == "Paused":
        conditions.append(_condition("Paused", "Acknowledged", now, is_true=True))
    return {
        "conditions": conditions,
        "epoch": 1796047684855 + number,
        "observedGeneration": 1,
        "phase": phase,
        "podName": f"us-equities-{number}-ingest",
        "stream": _stream(state, now),
    }


def _stream(state: str, now: datetime) -> dict[str, Any]:
    confirmed = SYMBOLS if state == "Live" else 0
    found: dict[str, Any] = {
        "effectiveIntervalMilliseconds": 1500,
        "feed": "synthetic",
        "freshness": {"closed": 0, "halted": 0, "live": confirmed, "paused": 0, "quiet": 0, "stale": 0, "unheard": 0},
        "heartbeat": _heartbeat(state, now),
        "history": [{"at": _text(now - timedelta(seconds=60 * each)), "state": "Live"} for each in range(5)],
        "ingestEnabled": state != "Paused",
        "observedGeneration": 1,
        "podUID": "d4448502-b228-4b55-989c-9fbbe83450d8",
        "sink": {"healthy": True, "lastWriteAt": _text(now)},
        "state": state,
        "symbols": {
            "confirmed": confirmed,
            "desired": SYMBOLS,
            "live": f"{confirmed}/{SYMBOLS}",
            "neverTicked": 0,
            "paused": 0,
            "pending": 0,
            "rejected": 0,
        },
    }
    if state == "Paused":
        source = {"source": "pause:incident", "by": "alice", "reason": "vendor incident"}
        found["pause"] = {**source, "sources": [source], "acknowledgedAt": _text(now)}
    if state == "BackingOff":
        found["failure"] = {"type": "network", "message": "the gateway refused the connection", "at": _text(now)}
    return found


def _heartbeat(state: str, now: datetime) -> dict[str, Any]:
    return {
        "at": _text(now),
        "dryRun": False,
        "epoch": 1796047684855,
        "lastQuoteAt": _text(now),
        "lastQuoteReceivedAt": _text(now),
        "lastSymbol": "S0",
        "sessionID": "a2f0773772d2418da49add294f71f0f3",
        "status": {"Live": "running", "Paused": "paused"}.get(state, "degraded"),
    }


def _condition(kind: str, reason: str, now: datetime, *, is_true: bool) -> dict[str, Any]:
    return {
        "type": kind,
        "status": "True" if is_true else "False",
        "reason": reason,
        "message": f"{SYMBOLS}/{SYMBOLS} symbols." if is_true else "The stream is not live yet (state BackingOff).",
        "observedGeneration": 1,
        "lastTransitionTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
    }


def _text(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%S.%fZ}"
