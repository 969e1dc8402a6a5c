"""The connection slot as a Lease of the pod's namespace."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import aiohttp
import msgspec

from sluice_contract.base import CamelStruct

from ..domain.slot import HELD_SECONDS, SlotClaim
from ..ports import SlotError
from .api_session import ApiSession
from .decoding import decode_json
from .error_text import system_error_text

_API_VERSION = "coordination.k8s.io/v1"
_TIMEOUT = aiohttp.ClientTimeout(total=5.0)


class _Metadata(CamelStruct, frozen=True):
    name: str
    resource_version: str | None = None


class _Spec(CamelStruct, frozen=True):
    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    renew_time: str | None = None


class _Lease(CamelStruct, frozen=True):
    metadata: _Metadata
    spec: _Spec = _Spec()
    api_version: str = ""
    kind: str = ""


class SlotClaimStore:
    """Stores the claim of a connection slot in a Lease. The API server refuses a write based on an older claim."""

    def __init__(self, session: ApiSession, namespace: str, name: str) -> None:
        self._session = session
        self._name = name
        self._leases = f"{session.url}/apis/{_API_VERSION}/namespaces/{namespace}/leases"

    async def read_claim(self) -> SlotClaim | None:
        return await self._request("GET", f"{self._leases}/{self._name}", None)

    async def replace_claim_if_unchanged(self, claim: SlotClaim) -> SlotClaim:
        lease = _Lease(
            metadata=_Metadata(name=self._name, resource_version=claim.version or None),
            spec=_Spec(
                holder_identity=claim.holder or None,
                lease_duration_seconds=int(HELD_SECONDS),
                renew_time=_format_lease_time(claim.renewed_at),
            ),
            api_version=_API_VERSION,
            kind="Lease",
        )
        if claim.version:
            written = await self._request("PUT", f"{self._leases}/{self._name}", lease)
        else:
            written = await self._request("POST", self._leases, lease)
        if written is None:
            raise SlotError(f"the Lease {self._name} no longer exists")
        return written

    async def _request(self, method: str, url: str, lease: _Lease | None) -> SlotClaim | None:
        options: dict[str, Any] = {"data": msgspec.json.encode(lease)} if lease is not None else {}
        try:
            headers = self._session.authorization_header() | {"Content-Type": "application/json"}
            async with self._session.client_session().request(
                method, url, headers=headers, timeout=_TIMEOUT, **options
            ) as response:
                if response.status == 404:
                    return None
                if response.status >= 400:
                    raise SlotError(f"the API server answered HTTP {response.status} to {method} of Lease {self._name}")
                return _claim_from_lease(decode_json(await response.read(), _Lease))
        except (aiohttp.ClientError, TimeoutError, OSError, msgspec.MsgspecError) as error:
            raise SlotError(f"the API server did not answer: {system_error_text(error)}") from error


def _claim_from_lease(lease: _Lease) -> SlotClaim:
    renewed_at = datetime.fromisoformat(lease.spec.renew_time) if lease.spec.renew_time else None
    return SlotClaim(
        holder=lease.spec.holder_identity or "", renewed_at=renewed_at, version=lease.metadata.resource_version or ""
    )


def _format_lease_time(instant: datetime | None) -> str | None:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}" if instant is not None else None
