"""Keeps one connection open while the job streams, and none while it is paused."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from sluice_contract.spec import Channel

from ..aio.latest_value import LatestValue
from ..aio.waiting import cancel_and_wait, run_until_first_completes, run_with_timeout
from ..destination_ports import PausableWrites
from ..domain.backoff import Backoff
from ..domain.counters import Counters, increment
from ..domain.desired import Desired
from ..domain.failure import StreamError
from ..ports import Connection, Source
from ..state.document_ownership import DocumentOwnership
from ..state.open_connection import OpenConnection
from ..state.silent_connections import SilentConnections
from ..state.sink_health import SinkHealth
from ..state.stream_state import StreamListener
from .slot import ConnectionSlotLease

_log = logging.getLogger(__name__)

# A connection that lasted this long was healthy: earlier failures no longer count.
_HEALTHY_SECONDS = 60.0

# Attempts with a bad key before waiting for a change of the Secret: vendors count failed logins.
_FATAL_ATTEMPTS = 3

_ROTATED = 2  # the position of wait_for_rotation() in _run_connection()


@dataclass(frozen=True, kw_only=True)
class SupervisorParts:
    """The parts of the state that the supervisor follows, and those that it records to."""

    desired: LatestValue[Desired]
    stream: StreamListener
    connection: OpenConnection
    silent_connections: SilentConnections
    ownership: DocumentOwnership
    sink_health: SinkHealth
    counters: Counters


class Supervisor:
    """Opens and closes the connection in one task, so that there are never two connections."""

    def __init__(
        self,
        source: Source,
        writes: PausableWrites,
        parts: SupervisorParts,
        backoff: Backoff,
        slot: ConnectionSlotLease | None = None,
    ) -> None:
        self._source = source
        self._writes = writes
        self._parts = parts
        self._backoff = backoff
        self._slot = slot
        self._fatal_failures = 0
        self._streaming: asyncio.Task[None] | None = None  # None if nothing streams, or if it has been stopped

    async def stream_unless_paused_forever(self) -> None:
        """Keep a connection open until cancelled, and none during a pause or while a policy denies the job.

        A changed set of symbols keeps the connection. The socket is closed on return.
        """
        desired = self._parts.desired
        with desired.calling(self._stop_if_paused_or_denied):
            while True:
                if desired.value.pause is not None:
                    await self._drain_and_wait_for_resume()
                elif desired.value.denied:
                    await self._wait_while_denied()
                else:
                    await self._stream_until_stopped()

    def _stop_if_paused_or_denied(self) -> None:
        """Start to close the socket if the desired state is a stop. The desired state calls this when it changes.

        The close is thus sent before any task reports the change.
        """
        desired, streaming = self._parts.desired.value, self._streaming
        if streaming is None or (desired.pause is None and not desired.denied):
            return
        self._streaming = None
        if (connection := self._parts.connection.current) is not None:
            connection.start_closing()
        streaming.cancel()

    async def _stream_until_stopped(self) -> None:
        """Stream until a pause begins or a policy denies the job. The socket is closed on return."""
        self._streaming = streaming = asyncio.ensure_future(self._stream_until_finished())
        try:
            await asyncio.wait([streaming])
        finally:
            self._streaming = None
            await cancel_and_wait(streaming)
        if not streaming.cancelled():
            streaming.result()

    async def _drain_and_wait_for_resume(self) -> None:
        """Drain pending writes, acknowledge the pause, release the slot and wait until the pause ends.

        The socket is already closed when this is called.
        """
        parts = self._parts
        pause = parts.desired.value.pause
        if parts.stream.socket_closed_at is not None and pause is not None:
            increment(parts.counters.stops, pause.stop_reason)
        await self._writes.drain_and_close()
        parts.stream.on_state("Paused")
        parts.stream.acknowledge_pause(parts.sink_health.last_write_at)
        parts.sink_health.forget_failures_of_paused_writes()
        if self._slot is not None:
            await self._slot.release()
        self._backoff.reset()
        self._fatal_failures = 0
        while parts.desired.value.pause is not None:
            await parts.desired.wait_for_change(parts.desired.version)
        self._writes.reopen_and_requeue_dropped()

    async def _wait_while_denied(self) -> None:
        """Report why a policy denies the job, and wait until it does not, or gives another reason, or a pause begins.

        The socket is already closed when this is called. Pending quotes are still written.
        """
        desired, stream = self._parts.desired, self._parts.stream
        denied = desired.value.denied
        stream.record_failure(StreamError("policyDenied", denied))
        stream.on_state("Blocked")
        if self._slot is not None:
            await self._slot.release()
        self._backoff.reset()
        self._fatal_failures = 0
        while desired.value.pause is None and desired.value.denied == denied:
            await desired.wait_for_change(desired.version)

    async def _stream_until_finished(self) -> None:
        """Connect, and reconnect after each failure, until the stream is finished; then wait to be cancelled."""
        self._parts.stream.start_streaming()
        while True:
            try:
                await self._wait_until_documents_are_owned()
                if self._slot is not None:
                    self._parts.stream.on_state("Connecting")
                    await self._slot.acquire()
                if not await self._run_connection():
                    break
                _log.info("credentials have changed; reconnecting with the new ones", extra={"event_type": "stream"})
            except StreamError as error:
                self._parts.stream.record_failure(error)
                await self._wait_before_retry(error)
        self._parts.stream.on_state("Finished")
        await asyncio.Event().wait()

    async def _wait_until_documents_are_owned(self) -> None:
        """Wait while another job writes the documents of this job. No connection is open meanwhile."""
        ownership = self._parts.ownership
        await ownership.wait_for_first_outcome()
        if ownership.conflict.value is None:
            return
        self._parts.stream.on_state("Blocked")
        if self._slot is not None:
            await self._slot.release()
        await ownership.wait_for_no_conflict()
        self._backoff.reset()

    async def _run_connection(self) -> bool:
        """Run one connection until it ends. Return True if it ended because the credentials were replaced."""
        live_since: float | None = None
        loop = asyncio.get_running_loop()
        self._parts.counters.count_start()
        try:
            async with self._source.connect(self._parts.stream) as connection:
                live_since = loop.time()
                self._parts.connection.set(connection)
                ended = await run_until_first_completes(
                    connection.run(),
                    self._follow_desired_symbols(connection),
                    self._source.wait_for_rotation(),
                    self._fail_on_silence_or_lost_claim(),
                )
                return ended == _ROTATED
        finally:
            self._parts.connection.set(None)
            if live_since is not None and loop.time() - live_since >= _HEALTHY_SECONDS:
                self._backoff.reset()

    async def _follow_desired_symbols(self, connection: Connection) -> None:
        """Keep the subscription of the open connection equal to the desired symbols and channels."""
        desired = self._parts.desired
        followed: tuple[frozenset[str], frozenset[Channel]] | None = None
        while True:
            version, wanted = desired.version, (desired.value.symbols, desired.value.channels)
            if wanted != followed:
                await connection.set_subscriptions(*wanted)
                followed = wanted
                self._fatal_failures = 0  # not on login: a login can succeed and its subscription be refused
                self._parts.stream.on_state("Live")
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
        conflict = await self._parts.ownership.wait_for_conflict()
        raise StreamError("documentConflict", conflict.message)

    async def _fail_on_silence(self) -> None:
        """Wait until another loop requests a reconnect because of silence, and then raise StreamError."""
        silent_connections = self._parts.silent_connections.count
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
                self._parts.stream.on_state("Blocked")
                await run_with_timeout(error.retry_within, self._source.wait_for_fix())
                self._fatal_failures = 0
                return
        self._parts.stream.on_state("BackingOff")
        await run_until_first_completes(asyncio.sleep(wait), self._source.wait_for_fix())
