"""Claims the connection slot before a connection is opened, renews the claim, and releases it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import NoReturn

from sluice_contract.lease import LeaseObservation
from sluice_contract.status import ConnectionSlotStatus

from ..aio.waiting import run_with_timeout
from ..domain.failure import StreamError
from ..domain.slot import HELD_SECONDS, RENEW_SECONDS, SlotClaim, is_claimable_by
from ..ports import SlotError, SlotPort
from ..state.connection_slot import ConnectionSlotState

_log = logging.getLogger(__name__)

_CHECK_SECONDS = 2.0
_RELEASE_SECONDS = 2.0


class ConnectionSlotLease:
    """Claims, renews and releases one job's connection slot.

    `job_name` is the name of the job, not of the pod, so that a new pod of the job inherits the claim.
    `read_key_digest` returns the digest of the key in use, which is reported with the slot; None if there is none.
    """

    def __init__(
        self,
        port: SlotPort,
        job_name: str,
        state: ConnectionSlotState,
        now: Callable[[], datetime],
        read_key_digest: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._read_key_digest = read_key_digest
        self._port = port
        self._job_name = job_name
        self._state = state
        self._now = now
        self._observation = LeaseObservation[SlotClaim](None, asyncio.get_running_loop().time())
        self._holds_slot = False
        self._may_hold_slot = False  # a claim was sent and may have been accepted
        # Until then, no other job can have the slot, unless only this pod cannot reach the API server.
        self._exclusive_until = 0.0

    async def acquire(self) -> None:
        """Wait until this job has the slot. Never takes it from a job that renews its claim.

        While the API server is unreachable, the holder keeps its slot, because no other job can claim it. The holder
        must have asked at least every 60 s, to be sure that the API server was unreachable all the time.
        """
        while True:
            try:
                await self._claim_if_available()
            except SlotError as error:
                _log.warning("cannot claim the connection slot: %s", error, extra={"event_type": "stream"})
                self._holds_slot = self._holds_slot and self._extend_unless_expired()
            if self._holds_slot:
                return
            await asyncio.sleep(_CHECK_SECONDS)

    async def renew_forever(self) -> NoReturn:
        """Renew the claim until cancelled.

        While the API server is unreachable, the holder keeps its slot and the stream continues.

        Raises:
            StreamError: another job now has the slot.
        """
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await self._renew_claim_unless_taken()
            except SlotError as error:
                _log.warning("connection slot not renewed: %s", error, extra={"event_type": "stream"})
                self._extend_unless_expired()

    async def release(self) -> None:
        """Release the slot if it is held. Waits at most 2 s; an unreleased slot expires by itself."""
        self._holds_slot = False
        self._set_slot_status(None)
        if self._may_hold_slot:
            await run_with_timeout(_RELEASE_SECONDS, self._clear_own_claim())
            self._may_hold_slot = False  # skipped on cancellation: the next release completes it

    async def _claim_if_available(self) -> None:
        """Read the claim of the slot, and write this job's own claim if the slot is free or the claim has expired."""
        at = asyncio.get_running_loop().time()
        self._observation = self._observation.updated_with(await self._port.read_claim(), at)
        found = self._observation.record
        if is_claimable_by(self._job_name, self._observation, at):
            await self._write_own_claim(found)
        elif found is not None:
            self._holds_slot = False
            self._set_slot_status(ConnectionSlotStatus(acquired=False, holder=found.holder))
            await self._port.add_this_job_as_user(found)

    async def _write_own_claim(self, previous: SlotClaim | None) -> None:
        claim = SlotClaim(holder=self._job_name, renewed_at=self._now(), version=previous.version if previous else "")
        self._may_hold_slot = True
        await self._port.replace_claim_if_unchanged(claim)
        self._holds_slot = True
        self._exclusive_until = asyncio.get_running_loop().time() + HELD_SECONDS
        self._set_slot_status(
            ConnectionSlotStatus(acquired=True, holder=self._job_name, key_digest=self._read_key_digest())
        )

    async def _renew_claim_unless_taken(self) -> None:
        """Renew this job's claim. Raises StreamError if another job now has the slot."""
        found = await self._port.read_claim()
        if found is not None and found.holder not in ("", self._job_name):
            self._holds_slot = self._may_hold_slot = False
            raise StreamError("connectionLimit", f"job {found.holder} has taken the connection slot; waiting for it")
        await self._write_own_claim(found)

    def _extend_unless_expired(self) -> bool:
        """Assume for another 60 s that this job has the slot, because the API server is unreachable.

        Return False, and extend nothing, if the claim has already expired.
        """
        at = asyncio.get_running_loop().time()
        if at > self._exclusive_until:
            return False
        self._exclusive_until = at + HELD_SECONDS
        return True

    async def _clear_own_claim(self) -> None:
        """Set the slot free if this job still holds it. A failure is logged."""
        try:
            found = await self._port.read_claim()
            if found is not None and found.holder == self._job_name:
                await self._port.replace_claim_if_unchanged(
                    SlotClaim(holder="", renewed_at=self._now(), version=found.version)
                )
        except SlotError as error:
            _log.warning("connection slot not released: %s", error, extra={"event_type": "stream"})

    def _set_slot_status(self, slot: ConnectionSlotStatus | None) -> None:
        has_changed = self._state.set_status(slot)
        if has_changed and slot is not None and not slot.acquired:
            _log.warning("job %s has the connection slot; waiting for it", slot.holder, extra={"event_type": "stream"})
