"""The connection slot as a Lease of the pod's namespace."""

from __future__ import annotations

from typing import Any

import aiohttp
import msgspec

from sluice_contract import identity
from sluice_contract.identity import InjectedJob
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

from ..domain.slot import HELD_SECONDS, SlotClaim
from ..ports import SlotError
from .api_session import ApiSession, kubernetes_error_message
from .error_text import system_error_text

_FORBIDDEN = 403
_TIMEOUT = aiohttp.ClientTimeout(total=5.0)


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
        self._leases = f"{session.url}/apis/{LEASE_API_VERSION}/namespaces/{namespace}/leases"
        self._owner = {
            "apiVersion": identity.API_VERSION,
            "kind": identity.KIND,
            "name": job.name,
            "uid": job.uid,
        }
        self._stored = LeaseMetadata(name=name)  # of the Lease as it was last read or written
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
            # the Lease. The Lease then stays when its jobs are gone. A policy may also refuse the claim itself.
            written = await self._write(claim, owners)
            self._may_change_owners = False
            return written

    async def add_this_job_as_user(self, claim: SlotClaim) -> None:
        if self._may_change_owners and not self._is_owner(self._owners_of(claim)):
            await self.replace_claim_if_unchanged(claim)

    def _owners_of(self, claim: SlotClaim) -> list[dict[str, Any]]:
        """Return the owners of the Lease of this version, which was read or written last."""
        return self._stored.owner_references if claim.version == self._stored.resource_version else []

    def _is_owner(self, owners: list[dict[str, Any]]) -> bool:
        return any(each.get("uid") == self._owner["uid"] for each in owners)

    async def _write(self, claim: SlotClaim, owners: list[dict[str, Any]]) -> SlotClaim:
        lease = new_lease(
            LeaseMetadata(name=self._name, resource_version=claim.version, owner_references=owners),
            LeaseSpec(
                holder_identity=claim.holder or None,
                lease_duration_seconds=int(HELD_SECONDS),
                renew_time=lease_time_text(claim.renewed_at),
            ),
        )
        if claim.version:
            written = await self._request("PUT", f"{self._leases}/{self._name}", lease)
        else:
            written = await self._request("POST", self._leases, lease)
        if written is None:
            raise SlotError(f"the Lease {self._name} no longer exists")
        return written

    async def _request(self, method: str, url: str, lease: Lease | None) -> SlotClaim | None:
        options: dict[str, Any] = {"data": msgspec.json.encode(lease)} if lease is not None else {}
        try:
            headers = self._session.authorization_header() | {"Content-Type": "application/json"}
            async with self._session.client_session().request(
                method, url, headers=headers, timeout=_TIMEOUT, **options
            ) as response:
                if response.status == 404:
                    return None
                if response.status >= 400:
                    raise self._refusal(method, response.status, await response.read())
                return self._claim_from_response(await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SlotError(f"the API server did not answer: {system_error_text(error)}") from error

    def _refusal(self, method: str, status: int, body: bytes) -> SlotError:
        message = f"the API server answered HTTP {status} to {method} of Lease {self._name}"
        if status != _FORBIDDEN:
            return SlotError(message)
        return _WriteForbidden(f"{message}: {kubernetes_error_message(body)}")

    def _claim_from_response(self, body: bytes) -> SlotClaim:
        """Return the claim in a Lease. Raises SlotError for a value that no pod writes, such as a time in year 0."""
        try:
            found = decode_lease(body)
            claim = _claim_from_lease(found)
        except UnreadableLeaseError as error:
            raise SlotError(
                f"the Lease {self._name} cannot be read ({error}); delete it, and a pod creates it again"
            ) from error
        self._stored = found.metadata
        return claim


def _claim_from_lease(lease: Lease) -> SlotClaim:
    return SlotClaim(
        holder=lease.spec.holder_identity or "",
        renewed_at=parse_lease_time(lease.spec.renew_time),
        version=lease.metadata.resource_version,
    )
