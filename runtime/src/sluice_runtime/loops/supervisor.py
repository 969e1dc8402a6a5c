"""Keeps one connection open while the job streams, and none while it is paused."""

from __future__ import annotations

import asyncio
import logging

from sluice_contract.spec import Channel

from ..domain.backoff import Backoff
from ..domain.counters import increment
from ..domain.failure import StreamError
from ..ports import Connection, Source
from .flusher import Flusher
from .journal import Journal
from .slot import ConnectionSlotLease
from .waiting import run_until_first_completes, run_with_timeout

_log = logging.getLogger(__name__)

# A connection that lasted this long was healthy: earlier failures no longer count.
_HEALTHY_SECONDS = 60.0

# Attempts with a bad key before waiting for a change of the Secret: vendors count failed logins.
_FATAL_ATTEMPTS = 3

_ROTATED = 2  # the position of wait_for_rotation() in _run_connection()


class Supervisor:
    """Opens and closes the connection in one task, so that there are never two connections."""

    def __init__(
        self,
        source: Source,
        flusher: Flusher,
        journal: Journal,
        backoff: Backoff,
        slot: ConnectionSlotLease | None = None,
    ) -> None:
        self._source = source
        self._flusher = flusher
        self._journal = journal
        self._backoff = backoff
        self._slot = slot
        self._fatal_failures = 0

    async def stream_unless_paused_forever(self) -> None:
        """Keep a connection open while no pause is in force, and none during a pause, until cancelled.

        A changed set of symbols keeps the connection. The socket is closed on return.
        """
        while True:
            if self._journal.desired.value.pause is not None:
                await self._drain_and_wait_for_resume()
            else:
                await run_until_first_completes(self._stream_until_finished(), self._wait_until_pause_requested())

    async def _drain_and_wait_for_resume(self) -> None:
        """Drain pending writes, acknowledge the pause, release the slot and wait until the pause ends.

        The socket is already closed when this is called.
        """
        journal = self._journal
        pause = journal.desired.value.pause
        if journal.socket_closed_at is not None and pause is not None:
            increment(journal.counters.stops, pause.stop_reason)
        await self._flusher.drain_and_close()
        journal.on_state("Paused")
        journal.acknowledge_pause()
        if self._slot is not None:
            await self._slot.release()
        self._backoff.reset()
        self._fatal_failures = 0
        while journal.desired.value.pause is not None:
            await journal.desired.wait_for_change(journal.desired.version)
        self._flusher.reopen_and_requeue_dropped()

    async def _wait_until_pause_requested(self) -> None:
        desired = self._journal.desired
        while desired.value.pause is None:
            await desired.wait_for_change(desired.version)

    async def _stream_until_finished(self) -> None:
        """Connect, and reconnect after each failure, until the stream is finished; then wait to be cancelled."""
        self._journal.socket_closed_at = None
        self._journal.on_state("Connecting")  # not Paused any more, even while this waits for documents or a slot
        while True:
            try:
                await self._wait_until_documents_are_owned()
                if self._slot is not None:
                    self._journal.on_state("Connecting")
                    await self._slot.acquire()
                if not await self._run_connection():
                    break
                _log.info("credentials have changed; reconnecting with the new ones", extra={"event_type": "stream"})
            except StreamError as error:
                self._journal.record_stream_failure(error)
                await self._wait_before_retry(error)
        self._journal.on_state("Finished")
        await asyncio.Event().wait()

    async def _wait_until_documents_are_owned(self) -> None:
        """Wait while another job writes the documents of this job. No connection is open meanwhile."""
        ownership = self._journal.ownership
        await ownership.wait_for_first_outcome()
        if ownership.conflict.value is None:
            return
        self._journal.on_state("Blocked")
        if self._slot is not None:
            await self._slot.release()
        await ownership.wait_for_no_conflict()
        self._backoff.reset()

    async def _run_connection(self) -> bool:
        """Run one connection until it ends. Return True if it ended because the credentials were replaced."""
        live_since: float | None = None
        loop = asyncio.get_running_loop()
        self._journal.counters.starts += 1
        try:
            async with self._source.connect(self._journal) as connection:
                live_since = loop.time()
                ended = await run_until_first_completes(
                    connection.run(),
                    self._follow_desired_symbols(connection),
                    self._source.wait_for_rotation(),
                    self._fail_on_silence_or_lost_claim(),
                )
                return ended == _ROTATED
        finally:
            if live_since is not None and loop.time() - live_since >= _HEALTHY_SECONDS:
                self._backoff.reset()

    async def _follow_desired_symbols(self, connection: Connection) -> None:
        """Keep the subscription of the open connection equal to the desired symbols and channels."""
        desired = self._journal.desired
        followed: tuple[frozenset[str], frozenset[Channel]] | None = None
        while True:
            version, wanted = desired.version, (desired.value.symbols, desired.value.channels)
            if wanted != followed:
                await connection.set_subscriptions(*wanted)
                followed = wanted
                self._fatal_failures = 0  # not on login: a login can succeed and its subscription be refused
                self._journal.on_state("Live")
            await desired.wait_for_change(version)

    async def _fail_on_silence_or_lost_claim(self) -> None:
        """Wait until the connection is silent, or its slot or its documents are lost, and then raise StreamError."""
        await run_until_first_completes(
            self._fail_on_silence(),
            self._fail_on_document_conflict(),
            self._slot.renew_forever() if self._slot is not None else asyncio.Event().wait(),
        )

    async def _fail_on_document_conflict(self) -> None:
        """Wait until another job writes the documents of this job, and then raise StreamError."""
        conflict = await self._journal.ownership.wait_for_conflict()
        raise StreamError("documentConflict", conflict.message)

    async def _fail_on_silence(self) -> None:
        """Wait until another loop requests a reconnect because of silence, and then raise StreamError."""
        silent_connections = self._journal.silent_connections.count
        await silent_connections.wait_for_change(silent_connections.version)
        raise StreamError("stall", "the connection is silent although the market is open; reconnecting")

    async def _wait_before_retry(self, error: StreamError) -> None:
        """Wait before the next attempt: for the backoff delay, or after a fatal failure until a fix is detected."""
        if error.kind == "documentConflict":
            return  # the next attempt waits for the documents
        wait = min(self._backoff.next_delay(at_least=error.retry_after), error.retry_within)
        if error.is_fatal:
            self._fatal_failures += 1
            if error.is_certain or not error.is_login_refusal or self._fatal_failures >= _FATAL_ATTEMPTS:
                self._journal.on_state("Blocked")
                await run_with_timeout(error.retry_within, self._source.wait_for_fix())
                self._fatal_failures = 0
                return
        self._journal.on_state("BackingOff")
        await run_until_first_completes(asyncio.sleep(wait), self._source.wait_for_fix())
