"""Leader election: whether this replica leads, and for how many more seconds it may write.

A replica writes only while it can prove that it leads. This keeps two replicas from working against each other. It is
not needed for safety: deterministic names, preconditions and the epoch protect a job even from two writing replicas.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

import msgspec

from sluice_contract.lease import LeaseObservation

from .domain import election
from .domain.election import LeaseRecord, LeaseTimings, WriteLease
from .ports import ClusterError, Conflict, LeaseStore, NotFound, Unavailable, seconds_until_retry

log = logging.getLogger(__name__)

CHECK_SECONDS: Final = 0.5
GIVEN_BACK_SECONDS: Final = 1.0
RELEASE_SECONDS: Final = 5.0  # the limit of a release; a pod that ends has 30 s


class ElectionClocks(msgspec.Struct, frozen=True):
    """The two clocks that the election uses, and a function that exits the process."""

    now: Callable[[], datetime]  # timezone-aware; shown in the Lease
    monotonic: Callable[[], float]  # seconds; also advances while the process or the machine is stopped
    exit_process: Callable[[], object]  # exits the process at once


class ReachableClock:
    """A clock that stops while the API server does not answer, because pods cannot report in that time."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._away_at: float | None = None
        self._away_seconds = 0.0

    def record_no_answer(self, asked_at: float) -> None:
        """Stop the clock at `asked_at`, the time when a request was sent that got no answer."""
        if self._away_at is None:
            self._away_at = asked_at

    def record_answer(self) -> None:
        """Let the clock run again, because a request was answered."""
        if self._away_at is not None:
            self._away_seconds += self._monotonic() - self._away_at
            self._away_at = None

    def seconds(self) -> float:
        """Return the time of this clock, in seconds."""
        now = self._away_at if self._away_at is not None else self._monotonic()
        return now - self._away_seconds


class Leadership:
    """This replica's part in the leader election. If it leads and loses the Lease, the process exits."""

    def __init__(self, leases: LeaseStore, replica: str, timings: LeaseTimings, clocks: ElectionClocks) -> None:
        self.reachable_clock = ReachableClock(clocks.monotonic)
        self._leases = leases
        self._timings = timings
        self._clocks = clocks
        self._replica = replica
        self._seen = LeaseObservation[LeaseRecord]()
        self._until = float("-inf")  # writes are allowed until then
        self._exit_at = float("-inf")  # a renewal that was sent before `_until` may be answered until then
        self._is_asking = False  # whether a request for the Lease is under way
        self._led = asyncio.Event()

    async def wait(self) -> None:
        """Wait until this replica leads. After that, it leads until the process exits."""
        await self._led.wait()

    def write_seconds_left(self) -> float:
        """Return for how many more seconds this replica may write; 0 if it may not write."""
        return max(0.0, self._until - self._clocks.monotonic())

    @property
    def is_leading(self) -> bool:
        """True while this replica leads: it has renewed the Lease within the renew deadline."""
        return self.write_seconds_left() > 0

    @property
    def holder_changes(self) -> int:
        """The number of times the holder of the Lease has changed, as counted in the Lease."""
        return self._seen.record.transitions if self._seen.record is not None else 0

    async def run(self) -> None:
        """Renew, read or claim the Lease every `retry` seconds, forever. Exit if this replica has lost it.

        An answer that names a time before which no request is wanted delays the next round until then.
        """
        while True:
            started = self._clocks.monotonic()
            wait = self._timings.retry
            try:
                await self._run_round()
            except Unavailable as error:
                self.reachable_clock.record_no_answer(started)
                wait = seconds_until_retry(error, wait)
                log.warning("the Lease cannot be reached; retrying", extra={"error": str(error)})
            except ClusterError as error:
                self.reachable_clock.record_answer()
                log.warning("the Lease was not written; retrying", extra={"error": f"{type(error).__name__}: {error}"})
            else:
                self.reachable_clock.record_answer()
            await asyncio.sleep(max(0.0, started + wait - self._clocks.monotonic()))

    async def exit_when_lease_expires(self) -> None:
        """Wait until this replica leads. Then exit the process once the renew deadline passes without a renewal.

        A renewal that was sent before the deadline may still be answered: the process exits when it has failed, and
        in any case before another replica may take the Lease. Until then, it begins no write.
        """
        await self._led.wait()
        while True:
            if not self.is_leading and not self._may_still_be_renewed():
                self._exit_process("the Lease was not renewed in time")
            await asyncio.sleep(min(CHECK_SECONDS, self.write_seconds_left() or CHECK_SECONDS))

    async def release_lease_if_leading(self) -> None:
        """Release the Lease if this replica leads, so that another replica can lead at once. Errors are only logged.

        The caller has already stopped all writes.
        """
        if not self.is_leading:
            return
        self._until = float("-inf")
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                record = await self._leases.read()  # a renewal that was cut off may have changed it
                if record is not None and record.holder == self._replica:
                    free = {"holder": "", "seconds": GIVEN_BACK_SECONDS, "renewed_at": self._clocks.now()}
                    await self._leases.write(msgspec.structs.replace(record, **free))
        except (ClusterError, TimeoutError) as error:
            log.warning("the Lease was not released", extra={"error": str(error)})
        else:
            log.info("released the Lease")

    def _may_still_be_renewed(self) -> bool:
        return self._is_asking and self._clocks.monotonic() < self._exit_at

    async def _run_round(self) -> None:
        """Renew the Lease if this replica leads; otherwise read it, and claim it if it is free.

        Each request for the Lease may take as long as this replica can wait for its answer: while it leads, until it
        has to exit. Raises `Unavailable` if the answer is later.
        """
        if self._led.is_set() and not self.is_leading:
            self._exit_process("the Lease was not renewed in time")
        self._is_asking = True
        try:
            if not await self._renew_unread_lease():
                await self._renew_or_claim_or_exit()
        finally:
            self._is_asking = False

    async def _renew_unread_lease(self) -> bool:
        """Renew the Lease with one request, if this replica leads. Return whether it is renewed.

        When responses are slow, the time does not suffice for a read and a write. The write is refused if another
        client has changed or deleted the Lease since this replica last saw it.
        """
        known = self._seen.record
        if not self.is_leading or known is None or known.holder != self._replica:
            return False
        try:
            await self._write_lease_and_lead(
                WriteLease(self._replica, known.transitions, renews=True, resource_version=known.resource_version)
            )
        except (Conflict, NotFound):
            return False
        return True

    async def _renew_or_claim_or_exit(self) -> None:
        """Read the Lease and write it if this replica may. Exit the process if it led and another replica leads now."""
        async with self._limit_of_request():
            record = await self._leases.read()
        self._seen = election.observation_after_read(self._seen, record, self._clocks.monotonic())
        step = election.decide_lease_action(self._replica, record, self._seen, self._clocks.monotonic())
        if isinstance(step, WriteLease):
            await self._write_lease_and_lead(step)
        elif self._led.is_set():
            holder = self._seen.record.holder if self._seen.record is not None else ""
            self._exit_process(f"{holder} holds the Lease")

    async def _write_lease_and_lead(self, claim: WriteLease) -> None:
        """Write the Lease. If the write succeeds, this replica leads, and may write until the renew deadline."""
        asked_at, now = self._clocks.monotonic(), self._clocks.now()
        before = self._seen.record
        since = before.acquired_at if before is not None and claim.renews else now
        async with self._limit_of_request():
            written = await self._leases.write(
                LeaseRecord(claim.holder, self._timings.lease, since, now, claim.transitions, claim.resource_version)
            )
        self._seen = election.observation_after_read(self._seen, written, asked_at)
        self._until = asked_at + self._timings.renew
        self._exit_at = asked_at + self._timings.exit
        if not self._led.is_set():
            log.info("leading", extra={"replica": claim.holder, "transitions": claim.transitions})
            self._led.set()

    @asynccontextmanager
    async def _limit_of_request(self) -> AsyncIterator[None]:
        """Limit the time of a request for the Lease. Raises `Unavailable` if it takes longer."""
        now = self._clocks.monotonic()
        seconds = self._exit_at - now if self._led.is_set() else self._timings.renew
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                yield
        except TimeoutError as error:
            raise Unavailable(f"the API server did not answer within {seconds:.1f} s") from error

    def _exit_process(self, reason: str) -> None:
        self._until = float("-inf")
        log.critical("no longer leading; exiting", extra={"reason": reason})
        self._clocks.exit_process()
