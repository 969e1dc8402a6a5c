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
    """A claim of the connection slot: the job that holds it, or an empty `holder` if the slot is free.

    `version` is the version of the stored claim. A write that names it fails if another job has written since.
    """

    holder: str
    renewed_at: datetime | None = None
    version: str = ""


class ClaimObservation(msgspec.Struct, frozen=True):
    """A claim, and the time at which this pod first read it, in monotonic seconds.

    Whether a claim has expired is decided by this time alone, so that clocks of two machines are never compared.
    """

    claim: SlotClaim | None
    at: float

    def updated_with(self, claim: SlotClaim | None, at: float) -> ClaimObservation:
        """Return this observation if `claim` has not changed since; otherwise a new one from `at`."""
        return self if claim == self.claim else ClaimObservation(claim, at)

    def is_claimable_by(self, job: str, at: float) -> bool:
        """Return True if the slot is free or held by `job`, or if its holder has not renewed the claim for 60 s."""
        if self.claim is None or self.claim.holder in ("", job):
            return True
        return at - self.at >= HELD_SECONDS


def slot_lease_name(spec: IngestJobSpec) -> str | None:
    """Return the name of the Lease for the job's connection slot; None if the job needs no slot.

    The name contains a hash, so that it does not reveal the name of the Secret.
    """
    ibkr = spec.ibkr
    if spec.provider == "ibkr" and ibkr is not None:
        what = f"ibkr\n{ibkr.host.lower()}\n{ibkr.port}\n{ibkr.client_id}"
    elif spec.alpaca_and_secret_name is not None:
        alpaca, secret = spec.alpaca_and_secret_name
        what = f"{secret}\n{alpaca.stream_url or alpaca.feed}"
    else:
        return None
    return f"sluice-slot-{hashlib.sha256(what.encode()).hexdigest()[:20]}"
