"""The connection slot: where an upstream allows one connection, one job at a time holds it.

Alpaca allows one connection per key pair and feed; an IBKR gateway allows one per client ID.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

import msgspec

from sluice_contract.spec import IngestJobSpec

# A claim that has not been renewed for this long may be taken by another job.
HELD_SECONDS = 60.0
RENEW_SECONDS = 10.0


class SlotClaim(msgspec.Struct, frozen=True, kw_only=True):
    """The holder of the slot; empty if it is free. `version` is the store's, to replace exactly this claim."""

    holder: str
    renewed_at: datetime | None = None
    version: str = ""


class ClaimObservation(msgspec.Struct, frozen=True):
    """A claim and when this pod first saw it, in monotonic seconds: clocks of two machines are never compared."""

    claim: SlotClaim | None
    at: float

    def updated_with(self, claim: SlotClaim | None, at: float) -> ClaimObservation:
        """Return the same sighting while the claim is not renewed, otherwise a new one."""
        return self if claim == self.claim else ClaimObservation(claim, at)

    def is_claimable_by(self, me: str, at: float) -> bool:
        """Return True if `me` may claim the slot: it is free, held by `me`, or no longer renewed."""
        if self.claim is None or self.claim.holder in ("", me):
            return True
        return at - self.at >= HELD_SECONDS


def slot_lease_name(spec: IngestJobSpec) -> str | None:
    """Return the name of the Lease; None if the job needs no slot. It is a hash that does not reveal the Secret."""
    ibkr = spec.ibkr
    if spec.provider == "ibkr" and ibkr is not None:
        what = f"ibkr\n{ibkr.host.lower()}\n{ibkr.port}\n{ibkr.client_id}"
    elif spec.alpaca_login is not None:
        alpaca, secret = spec.alpaca_login
        what = f"{secret}\n{alpaca.stream_url or alpaca.feed}"
    else:
        return None
    return f"sluice-slot-{hashlib.sha256(what.encode()).hexdigest()[:20]}"
