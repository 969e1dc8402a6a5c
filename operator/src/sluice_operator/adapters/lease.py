"""The coordination Lease of the replicas."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from sluice_contract.base import CamelStruct

from ..domain.election import Record
from ..ports import NotFound
from .api import Api

_API: Final = "coordination.k8s.io/v1"


class _Meta(CamelStruct, frozen=True):
    resource_version: str = ""


class _Spec(CamelStruct, frozen=True):
    holder_identity: str | None = None
    lease_duration_seconds: float | None = None
    acquire_time: datetime | None = None
    renew_time: datetime | None = None
    lease_transitions: int | None = None


class _Lease(CamelStruct, frozen=True):
    metadata: _Meta
    spec: _Spec = _Spec()


class KubernetesLease:
    """The `ports.Leases` of an API server. Each request ends before the next one is due."""

    def __init__(self, api: Api, namespace: str, name: str) -> None:
        self._api = api
        self._namespace = namespace
        self._name = name
        self._path = f"/apis/{_API}/namespaces/{namespace}/leases"

    async def read(self) -> Record | None:
        """Read the Lease. Return None if there is none."""
        try:
            return _record(await self._api.call("GET", f"{self._path}/{self._name}"))
        except NotFound:
            return None

    async def write(self, record: Record) -> Record:
        """Create the Lease if the record has no version, otherwise replace that version."""
        if record.resource_version:
            return _record(await self._api.call("PUT", f"{self._path}/{self._name}", None, self._body(record)))
        return _record(await self._api.call("POST", self._path, None, self._body(record)))

    def _body(self, record: Record) -> dict[str, Any]:
        version = {"resourceVersion": record.resource_version} if record.resource_version else {}
        return {
            "apiVersion": _API,
            "kind": "Lease",
            "metadata": {"name": self._name, "namespace": self._namespace, **version},
            "spec": {
                "holderIdentity": record.holder or None,
                "leaseDurationSeconds": max(1, round(record.seconds)),
                "acquireTime": _micro(record.acquired_at),
                "renewTime": _micro(record.renewed_at),
                "leaseTransitions": record.transitions,
            },
        }


def _record(answer: bytes) -> Record:
    lease = msgspec.json.decode(answer, type=_Lease)
    spec = lease.spec
    return Record(
        holder=spec.holder_identity or "",
        seconds=spec.lease_duration_seconds or 0.0,
        acquired_at=spec.acquire_time,
        renewed_at=spec.renew_time,
        transitions=spec.lease_transitions or 0,
        resource_version=lease.metadata.resource_version,
    )


def _micro(instant: datetime | None) -> str | None:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}" if instant is not None else None
