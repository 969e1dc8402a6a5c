"""The coordination Lease of the replicas."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from sluice_contract.base import CamelStruct
from sluice_contract.decoding_errors import explain_decoding_error

from ..domain.election import LeaseRecord
from ..ports import ClusterError, NotFound
from .api import RequestSender

_API: Final = "coordination.k8s.io/v1"


class _LeaseMetadata(CamelStruct, frozen=True):
    resource_version: str = ""


class _LeaseSpec(CamelStruct, frozen=True):
    holder_identity: str | None = None
    lease_duration_seconds: float | None = None
    acquire_time: datetime | None = None
    renew_time: datetime | None = None
    lease_transitions: int | None = None


class _Lease(CamelStruct, frozen=True):
    metadata: _LeaseMetadata
    spec: _LeaseSpec = _LeaseSpec()


class KubernetesLease:
    """The implementation of `ports.LeaseStore`. Each request ends before the next one is due."""

    def __init__(self, api: RequestSender, namespace: str, name: str) -> None:
        self._api = api
        self._namespace = namespace
        self._name = name
        self._path = f"/apis/{_API}/namespaces/{namespace}/leases"

    async def read(self) -> LeaseRecord | None:
        """Read the Lease. Return None if it does not exist."""
        try:
            return _decode_lease_record(await self._api.send_request("GET", f"{self._path}/{self._name}"))
        except NotFound:
            return None

    async def write(self, record: LeaseRecord) -> LeaseRecord:
        """Create the Lease if the record has no resourceVersion; otherwise replace the Lease of that version.

        Return the Lease as stored. Raises `Conflict` if another replica has created or changed it.
        """
        if record.resource_version:
            return _decode_lease_record(
                await self._api.send_request("PUT", f"{self._path}/{self._name}", None, self._lease_manifest(record))
            )
        return _decode_lease_record(
            await self._api.send_request("POST", self._path, None, self._lease_manifest(record))
        )

    def _lease_manifest(self, record: LeaseRecord) -> dict[str, Any]:
        version = {"resourceVersion": record.resource_version} if record.resource_version else {}
        return {
            "apiVersion": _API,
            "kind": "Lease",
            "metadata": {"name": self._name, "namespace": self._namespace, **version},
            "spec": {
                "holderIdentity": record.holder or None,
                "leaseDurationSeconds": max(1, round(record.seconds)),
                "acquireTime": _micro_time(record.acquired_at),
                "renewTime": _micro_time(record.renewed_at),
                "leaseTransitions": record.transitions,
            },
        }


def _decode_lease_record(answer: bytes) -> LeaseRecord:
    """Raise `ClusterError` for a Lease with a value that no replica writes, such as a time in the year 0."""
    try:
        lease = msgspec.json.decode(answer, type=_Lease)
    except msgspec.MsgspecError as error:
        problem = explain_decoding_error(error)
        raise ClusterError(
            f"the Lease cannot be read ({problem}); delete it, and a replica creates it again"
        ) from error
    spec = lease.spec
    return LeaseRecord(
        holder=spec.holder_identity or "",
        seconds=spec.lease_duration_seconds or 0.0,
        acquired_at=spec.acquire_time,
        renewed_at=spec.renew_time,
        transitions=spec.lease_transitions or 0,
        resource_version=lease.metadata.resource_version,
    )


def _micro_time(instant: datetime | None) -> str | None:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}" if instant is not None else None
