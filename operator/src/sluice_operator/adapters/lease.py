"""The coordination Lease of the replicas."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Final

import msgspec

from sluice_contract.identity import OPERATOR_VERSION_ANNOTATION
from sluice_contract.lease import (
    LEASE_API_VERSION,
    Lease,
    LeaseMetadata,
    LeaseSpec,
    UnreadableLeaseError,
    decode_lease,
    lease_time_text,
    new_lease,
    parse_lease_time,
)

from ..domain.election import LeaseRecord
from ..ports import ClusterError, NotFound
from .api import RequestSender
from .decoding import require_json_object
from .hedged_requests import send_hedged

_MAX_TRANSITIONS: Final = 2**31 - 1  # the API server refuses a higher number


class KubernetesLease:
    """The implementation of `ports.LeaseStore`. A request whose answer is late is sent again on another connection."""

    def __init__(self, api: RequestSender, namespace: str, name: str, patience_seconds: float) -> None:
        """`patience_seconds` is the time after which an answer is late."""
        self._api = api
        self._patience_seconds = patience_seconds
        self._namespace = namespace
        self._name = name
        self._path = f"/apis/{LEASE_API_VERSION}/namespaces/{namespace}/leases"
        self._version = version("sluice-operator")

    async def read(self) -> LeaseRecord | None:
        """Read the Lease. Return None if it does not exist."""
        try:
            return await self._send("GET", f"{self._path}/{self._name}")
        except NotFound:
            return None

    async def write(self, record: LeaseRecord) -> LeaseRecord:
        """Create the Lease if the record has no resourceVersion; otherwise replace the Lease of that version.

        Return the Lease as stored. Raises `Conflict` if another replica has created or changed it.
        """
        if record.resource_version:
            return await self._send("PUT", f"{self._path}/{self._name}", self._lease_manifest(record))
        return await self._send("POST", self._path, self._lease_manifest(record))

    async def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> LeaseRecord:
        async def send() -> bytes:
            return await self._api.send_request(method, path, None, body)

        return _decode_lease_record(await send_hedged(send, self._patience_seconds))

    def _lease_manifest(self, record: LeaseRecord) -> dict[str, Any]:
        lease = new_lease(
            LeaseMetadata(name=self._name, namespace=self._namespace, resource_version=record.resource_version),
            LeaseSpec(
                holder_identity=record.holder or None,
                lease_duration_seconds=max(1, round(record.seconds)),
                acquire_time=lease_time_text(record.acquired_at),
                renew_time=lease_time_text(record.renewed_at),
                lease_transitions=min(record.transitions, _MAX_TRANSITIONS),
            ),
        )
        manifest: dict[str, Any] = msgspec.to_builtins(lease)
        if record.holder:
            manifest["metadata"]["annotations"] = {OPERATOR_VERSION_ANNOTATION: self._version}
        return manifest


def _decode_lease_record(answer: bytes) -> LeaseRecord:
    """Return the contents of a Lease.

    Raises `Unavailable` for a text that is not JSON, and `ClusterError` for a Lease with a value that no replica
    writes, such as a time in the year 0.
    """
    require_json_object("the Lease", answer)
    try:
        return _record_from_lease(decode_lease(answer))
    except UnreadableLeaseError as error:
        raise ClusterError(f"the Lease cannot be read ({error}); delete it, and a replica creates it again") from error


def _record_from_lease(lease: Lease) -> LeaseRecord:
    spec = lease.spec
    return LeaseRecord(
        holder=spec.holder_identity or "",
        seconds=spec.lease_duration_seconds or 0.0,
        acquired_at=parse_lease_time(spec.acquire_time),
        renewed_at=parse_lease_time(spec.renew_time),
        transitions=spec.lease_transitions or 0,
        resource_version=lease.metadata.resource_version,
    )
