"""A fake of the Lease that records which pod holds the connection slot."""

from __future__ import annotations

import asyncio

import msgspec

from sluice_runtime.domain.slot import SlotClaim
from sluice_runtime.ports import SlotError


class FakeSlotPort:
    """A SlotPort with one Lease in memory. While `away` is set, reads and writes fail. A write takes `seconds`."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.claim: SlotClaim | None = None
        self.away = False
        self.writes = 0
        self.is_user = False

    async def read_claim(self) -> SlotClaim | None:
        if self.away:
            raise SlotError("the API server is away")
        return self.claim

    async def replace_claim_if_unchanged(self, claim: SlotClaim) -> SlotClaim:
        if self.away:
            raise SlotError("the API server is away")
        if claim.version != (self.claim.version if self.claim else ""):
            raise SlotError("somebody else has written")
        self.writes += 1
        self.claim = written = msgspec.structs.replace(claim, version=str(self.writes))
        await asyncio.sleep(self.seconds)
        return written

    async def add_this_job_as_user(self, claim: SlotClaim) -> None:
        if self.away:
            raise SlotError("the API server is away")
        self.is_user = True
