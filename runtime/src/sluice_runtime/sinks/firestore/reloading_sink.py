"""A Firestore sink whose credentials may appear late or be rotated."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from sluice_contract.documents import HeartbeatDocument, IngestState, LiveBar, LiveQuote, QuoteState
from sluice_contract.gap_documents import IngestGap

from ...domain.failure import SinkError
from ...domain.heartbeat_owner import StoredHeartbeat
from ...ports import Sink

_log = logging.getLogger(__name__)
_FIRESTORE_WRITE = {"event_type": "firestore_write"}

_CHECK_SECONDS = 1.0  # mounted files send no events
# Credentials may not be a file: a pod can have its own identity. The metadata server that provides it often starts some
# seconds later than the pod, so the first attempts follow each other quickly.
_RETRY_SECONDS = (1.0, 2.0, 4.0, 8.0)
_LATER_RETRY_SECONDS = 30.0


class ReloadingSink:
    """A sink that creates its real sink on first use, and a new one when the file with the credentials has changed.

    `create_sink` creates the real sink. While there are no usable credentials, it raises ValueError with a sentence,
    and each call raises SinkError with that sentence. In a dry run (`is_dry_run`), such calls go to `dry_run_sink`
    instead, so that Sluice can be tried without Firestore.
    """

    def __init__(
        self,
        create_sink: Callable[[], Awaitable[Sink]],
        key: Path | None,
        is_dry_run: Callable[[], bool],
        dry_run_sink: Sink,
    ) -> None:
        """`key` is the file with the credentials, if there is one."""
        self._create_sink = create_sink
        self._key = key
        self._is_dry_run = is_dry_run
        self._dry_run_sink = dry_run_sink
        self._lock = asyncio.Lock()
        self._open: _OpenSink | None = None
        self._failure = ""
        self._seen: bytes | None = None
        self._check_at = self._try_at = float("-inf")
        self._failed_attempts = 0

    async def open(self) -> None:
        """Create the real sink now.

        Raises:
            SinkError: there are no usable credentials, and this is not a dry run.
        """
        async with self._sink_for_call():
            pass

    async def write_quotes(self, quotes: Sequence[LiveQuote]) -> None:
        async with self._sink_for_call() as sink:
            await sink.write_quotes(quotes)

    async def quote_document_times(self, symbols: Iterable[str]) -> Mapping[str, datetime]:
        async with self._sink_for_call() as sink:
            return await sink.quote_document_times(symbols)

    async def write_bars(self, bars: Sequence[LiveBar]) -> None:
        async with self._sink_for_call() as sink:
            await sink.write_bars(bars)

    async def set_status_of_existing_quotes(self, symbols: Iterable[str], status: QuoteState) -> frozenset[str]:
        async with self._sink_for_call() as sink:
            return await sink.set_status_of_existing_quotes(symbols, status)

    async def delete_own_quotes_and_bars(self, symbols: Iterable[str]) -> None:
        async with self._sink_for_call() as sink:
            await sink.delete_own_quotes_and_bars(symbols)

    async def write_gaps(self, gaps: Sequence[IngestGap], *, replace: bool) -> None:
        async with self._sink_for_call() as sink:
            await sink.write_gaps(gaps, replace=replace)

    async def merge_ingest_states(self, states: Sequence[IngestState]) -> None:
        async with self._sink_for_call() as sink:
            await sink.merge_ingest_states(states)

    async def recorded_symbols_of_job(self) -> frozenset[str]:
        async with self._sink_for_call() as sink:
            return await sink.recorded_symbols_of_job()

    async def recorded_pause_starts(self, symbols: Iterable[str]) -> Mapping[str, datetime]:
        async with self._sink_for_call() as sink:
            return await sink.recorded_pause_starts(symbols)

    async def symbols_recorded_as_paused(self) -> frozenset[str]:
        async with self._sink_for_call() as sink:
            return await sink.symbols_recorded_as_paused()

    async def write_heartbeat(self, heartbeat: HeartbeatDocument) -> None:
        async with self._sink_for_call() as sink:
            await sink.write_heartbeat(heartbeat)

    async def stored_heartbeat(self) -> StoredHeartbeat | None:
        async with self._sink_for_call() as sink:
            return await sink.stored_heartbeat()

    async def close(self) -> None:
        if self._open is not None:
            await self._open.sink.close()

    @asynccontextmanager
    async def _sink_for_call(self) -> AsyncIterator[Sink]:
        """Yield the real sink, open until the call has ended; in a dry run without usable credentials, the other."""
        async with self._lock:
            await self._recreate_sink_if_credentials_changed()
        used = self._open
        if used is None:
            if not self._is_dry_run():
                raise SinkError(self._failure)
            yield self._dry_run_sink
            return
        used.calls += 1
        try:
            yield used.sink
        finally:
            used.calls -= 1
            if used is not self._open and used.calls == 0:
                await used.sink.close()

    async def _recreate_sink_if_credentials_changed(self) -> None:
        """Create the real sink if a check is due and the file with the credentials has changed.

        While there is no sink, this tries again after 1, 2, 4 and 8 s and then every 30 s, because credentials may not
        come from a file.
        """
        at = asyncio.get_running_loop().time()
        if at < self._check_at:
            return
        found = self._read_key_or_none()
        # An open sink does not need the file.
        is_new = found != self._seen and (found is not None or self._open is None)
        if is_new or (self._open is None and at >= self._try_at):
            await self._replace_sink_or_record_failure(found)
        self._check_at = at + _CHECK_SECONDS  # skipped on cancellation: the check is then repeated

    async def _replace_sink_or_record_failure(self, key_content: bytes | None) -> None:
        """Create the real sink in place of the open one. On failure, keep the open one and record the failure."""
        try:
            sink = await self._create_sink()
        except ValueError as error:
            self._record_failure(str(error))
        else:
            before, self._open = self._open, _OpenSink(sink)
            await self._close_if_unused(before)
        self._seen = key_content
        # An attempt may take seconds, so the wait begins at its end.
        self._try_at = asyncio.get_running_loop().time() + self._next_retry_seconds()

    def _next_retry_seconds(self) -> float:
        """Count an attempt, and return the seconds until the next one."""
        delays = _RETRY_SECONDS[self._failed_attempts : self._failed_attempts + 1]
        self._failed_attempts += 1
        return delays[0] if delays else _LATER_RETRY_SECONDS

    async def _close_if_unused(self, before: _OpenSink | None) -> None:
        """Close the previous sink unless calls still use it. The last of these calls then closes it."""
        if before is not None:
            _log.info("Firestore's credentials have changed; using the new ones", extra=_FIRESTORE_WRITE)
            if before.calls == 0:
                await before.sink.close()

    def _record_failure(self, failure: str) -> None:
        if self._open is not None:
            _log.warning("%s; using the previous credentials while they are valid", failure, extra=_FIRESTORE_WRITE)
        elif self._is_dry_run() and failure != self._failure:
            _log.info("dry run without Firestore: %s", failure, extra=_FIRESTORE_WRITE)
        self._failure = failure

    def _read_key_or_none(self) -> bytes | None:
        try:
            return self._key.read_bytes() if self._key is not None else None
        except OSError:
            return None


class _OpenSink:
    """A real sink, and the number of calls that use it now."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.calls = 0
