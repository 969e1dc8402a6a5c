"""The connection slot as a Lease of the pod's namespace."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import aiohttp
import msgspec

from sluice_contract import identity
from sluice_contract.base import CamelStruct
from sluice_contract.identity import InjectedJob

from ..domain.slot import HELD_SECONDS, SlotClaim
from ..ports import SlotError
from .api_session import ApiSession
from .decoding import decode_json
from .error_text import system_error_text

_API_VERSION = "coordination.k8s.io/v1"
_FORBIDDEN = 403
_TIMEOUT = aiohttp.ClientTimeout(total=5.0)


class _Metadata(CamelStruct, frozen=True):
    name: str
    resource_version: str | None = None
    owner_references: list[dict[str, Any]] = []  # noqa: RUF012  msgspec copies an empty default


class _Spec(CamelStruct, frozen=True):
    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    renew_time: str | None = None


class _Lease(CamelStruct, frozen=True):
    metadata: _Metadata
    spec: _Spec = _Spec()
    api_version: str = ""
    kind: str = ""


class _WriteForbidden(SlotError):  # noqa: N818  named after the answer
    """The API server does not allow the write."""


class SlotClaimStore:
    """Stores the claim of a connection slot in a Lease. The API server refuses a write based on an older claim.

    Each job that uses the Lease is one of its owners, so Kubernetes deletes the Lease with the last of them.
    """

    def __init__(self, session: ApiSession, namespace: str, name: str, job: InjectedJob) -> None:
        """`name` is the name of the Lease. `job` becomes one of its owners."""
        self._session = session
        self._name = name
        self._leases = f"{session.url}/apis/{_API_VERSION}/namespaces/{namespace}/leases"
        self._owner = {
            "apiVersion": identity.API_VERSION,
            "kind": identity.KIND,
            "name": job.name,
            "uid": job.uid,
        }
        self._stored = _Metadata(name=name)  # of the Lease as it was last read or written
        self._may_change_owners = True

    async def read_claim(self) -> SlotClaim | None:
        return await self._request("GET", f"{self._leases}/{self._name}", None)

    async def replace_claim_if_unchanged(self, claim: SlotClaim) -> SlotClaim:
        owners = self._owners_of(claim)
        if self._is_owner(owners) or not self._may_change_owners:
            return await self._write(claim, owners)
        try:
            return await self._write(claim, [*owners, self._owner])
        except _WriteForbidden:
            # The plugin OwnerReferencesPermissionEnforcement allows a change of owners only to accounts that may delete
            # the Lease. The Lease then stays when its jobs are gone.
            self._may_change_owners = False
            return await self._write(claim, owners)

    async def add_this_job_as_user(self, claim: SlotClaim) -> None:
        if self._may_change_owners and not self._is_owner(self._owners_of(claim)):
            await self.replace_claim_if_unchanged(claim)

    def _owners_of(self, claim: SlotClaim) -> list[dict[str, Any]]:
        """Return the owners of the Lease of this version, which was read or written last."""
        return self._stored.owner_references if claim.version == self._stored.resource_version else []

    def _is_owner(self, owners: list[dict[str, Any]]) -> bool:
        return any(each.get("uid") == self._owner["uid"] for each in owners)

    async def _write(self, claim: SlotClaim, owners: list[dict[str, Any]]) -> SlotClaim:
        lease = _Lease(
            metadata=_Metadata(name=self._name, resource_version=claim.version or None, owner_references=owners),
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
                    kind = _WriteForbidden if response.status == _FORBIDDEN else SlotError
                    raise kind(f"the API server answered HTTP {response.status} to {method} of Lease {self._name}")
                return self._claim_from_response(await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SlotError(f"the API server did not answer: {system_error_text(error)}") from error

    def _claim_from_response(self, body: bytes) -> SlotClaim:
        """Return the claim in a Lease. Raises SlotError for a value that no pod writes, such as a time in year 0."""
        try:
            found = decode_json(body, _Lease)
            claim = _claim_from_lease(found)
        except (msgspec.MsgspecError, ValueError) as error:
            problem = system_error_text(error)
            raise SlotError(
                f"the Lease {self._name} cannot be read ({problem}); delete it, and a pod creates it again"
            ) from error
        self._stored = found.metadata
        return claim


def _claim_from_lease(lease: _Lease) -> SlotClaim:
    """Raise ValueError for a time that Python cannot represent."""
    renewed_at = datetime.fromisoformat(lease.spec.renew_time) if lease.spec.renew_time else None
    return SlotClaim(
        holder=lease.spec.holder_identity or "", renewed_at=renewed_at, version=lease.metadata.resource_version or ""
    )


def _format_lease_time(instant: datetime | None) -> str | None:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}" if instant is not None else None
