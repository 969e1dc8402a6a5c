"""The connection slot: where an upstream allows one connection, one job at a time has it.

Alpaca allows one for each key pair and feed, a gateway of IBKR's one for each client id.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

import msgspec

from sluice_contract.spec import IngestJobSpec

# A holder that has not renewed its claim for so long is gone: its claim may be taken.
HELD_SECONDS = 60.0
RENEW_SECONDS = 10.0


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """Who has the slot; nobody, where `holder` is empty. `version` is the store's, for writing over just this one."""

    holder: str
    renewed_at: datetime | None = None
    version: str = ""


class Sighting(msgspec.Struct, frozen=True):
    """A claim as it was first seen, in monotonic seconds: clocks of two machines are never compared."""

    claim: Claim | None
    at: float

    def seen_again(self, claim: Claim | None, at: float) -> Sighting:
        """The same sighting as long as the claim is not renewed."""
        return self if claim == self.claim else Sighting(claim, at)

    def is_free(self, me: str, at: float) -> bool:
        """Whether I may claim it now: it is nobody's, mine, or of someone who has ceased to renew it."""
        if self.claim is None or self.claim.holder in ("", me):
            return True
        return at - self.at >= HELD_SECONDS


def slot_name(spec: IngestJobSpec) -> str | None:
    """The name of the Lease. A hash: it tells nobody which Secret it stands for. None where none is needed."""
    ibkr = spec.ibkr
    if spec.provider == "ibkr" and ibkr is not None:
        what = f"ibkr\n{ibkr.host.lower()}\n{ibkr.port}\n{ibkr.client_id}"
    elif spec.alpaca_login is not None:
        alpaca, secret = spec.alpaca_login
        what = f"{secret}\n{alpaca.stream_url or alpaca.feed}"
    else:
        return None
    return f"sluice-slot-{hashlib.sha256(what.encode()).hexdigest()[:20]}"
