"""Firestore by credentials that may be missing at first and may be replaced: a Secret is mounted later, and rotated."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from sluice_contract.documents import HeartbeatDocument, IngestState, LiveBar, LiveQuote, QuoteState

from ...domain.failure import SinkError
from ...ports import Sink

_log = logging.getLogger(__name__)
_FIRESTORE_WRITE = {"event_type": "firestore_write"}

_LOOK_SECONDS = 1.0  # a mounted file gives no event
_RETRY_SECONDS = 30.0  # credentials need not be a file: a pod may be given an identity of its own


class MountedSink:
    """The sink that `make` makes, made when it is first needed and again when the key is another.

    `make` raises ValueError while there are no usable credentials, with a sentence. Each call then fails with it, save
    in a dry run (`is_dry`): that is how to try Sluice without a Firestore, so nothing is written, heartbeats neither.
    """

    def __init__(self, make: Callable[[], Awaitable[Sink]], key: Path | None, is_dry: Callable[[], bool]) -> None:
        """`key` is the file with the credentials, if they are in one."""
        self._make = make
        self._key = key
        self._is_dry = is_dry
        self._lock = asyncio.Lock()
        self._open: _Open | None = None
        self._failure = ""
        self._seen: bytes | None = None
        self._look_at = self._try_at = float("-inf")

    async def open(self) -> None:
        """Makes it now.

        Raises:
            SinkError: there are no usable credentials.
        """
        async with self._sink():
            pass

    async def write(self, quotes: Sequence[LiveQuote]) -> None:
        """As Sink."""
        async with self._sink() as sink:
            if sink is not None:
                await sink.write(quotes)

    async def times(self, symbols: Iterable[str]) -> Mapping[str, datetime]:
        """As Sink."""
        async with self._sink() as sink:
            return await sink.times(symbols) if sink is not None else {}

    async def write_bars(self, bars: Sequence[LiveBar]) -> None:
        """As Sink."""
        async with self._sink() as sink:
            if sink is not None:
                await sink.write_bars(bars)

    async def mark(self, symbols: Iterable[str], status: QuoteState) -> None:
        """As Sink."""
        async with self._sink() as sink:
            if sink is not None:
                await sink.mark(symbols, status)

    async def delete(self, symbols: Iterable[str]) -> None:
        """As Sink."""
        async with self._sink() as sink:
            if sink is not None:
                await sink.delete(symbols)

    async def record(self, states: Sequence[IngestState]) -> None:
        """As Sink."""
        async with self._sink() as sink:
            if sink is not None:
                await sink.record(states)

    async def own_records(self) -> frozenset[str]:
        """As Sink."""
        async with self._sink() as sink:
            return await sink.own_records() if sink is not None else frozenset()

    async def paused_records(self) -> frozenset[str]:
        """As Sink."""
        async with self._sink() as sink:
            return await sink.paused_records() if sink is not None else frozenset()

    async def beat(self, heartbeat: HeartbeatDocument) -> None:
        """As Sink."""
        async with self._sink() as sink:
            if sink is not None:
                await sink.beat(heartbeat)

    async def last_epoch(self, job_uid: str) -> int | None:
        """As Sink."""
        async with self._sink() as sink:
            return await sink.last_epoch(job_uid) if sink is not None else None

    async def close(self) -> None:
        """As Sink."""
        if self._open is not None:
            await self._open.sink.close()

    @asynccontextmanager
    async def _sink(self) -> AsyncIterator[Sink | None]:
        """The one for this call, which stays open until the call has ended. None: nothing is to be written."""
        async with self._lock:
            await self._look()
        used = self._open
        if used is None:
            if not self._is_dry():
                raise SinkError(self._failure)
            yield None
            return
        used.calls += 1
        try:
            yield used.sink
        finally:
            used.calls -= 1
            if used is not self._open and used.calls == 0:
                await used.sink.close()

    async def _look(self) -> None:
        """Makes another sink if it is time to and the credentials are others."""
        at = asyncio.get_running_loop().time()
        if at < self._look_at:
            return
        found = self._read()
        is_new = found != self._seen and (found is not None or self._open is None)  # who is in use needs no file
        if is_new or (self._open is None and at >= self._try_at):
            await self._renew(found, at)
        self._look_at = at + _LOOK_SECONDS  # not if it was cancelled: nobody knows then

    async def _renew(self, found: bytes | None, at: float) -> None:
        try:
            sink = await self._make()
        except ValueError as error:
            self._refused(str(error))
        else:
            before, self._open = self._open, _Open(sink)
            await self._retire(before)
        self._seen, self._try_at = found, at + _RETRY_SECONDS

    async def _retire(self, before: _Open | None) -> None:
        if before is not None:
            _log.info("Firestore's credentials have changed: the new ones are used", extra=_FIRESTORE_WRITE)
            if before.calls == 0:
                await before.sink.close()

    def _refused(self, failure: str) -> None:
        if self._open is not None:
            _log.warning("%s; those from before are used as long as they last", failure, extra=_FIRESTORE_WRITE)
        elif self._is_dry() and failure != self._failure:
            _log.info("a dry run without Firestore: %s", failure, extra=_FIRESTORE_WRITE)
        self._failure = failure

    def _read(self) -> bytes | None:
        try:
            return self._key.read_bytes() if self._key is not None else None
        except OSError:
            return None


class _Open:
    """A sink, and how many calls use it now."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.calls = 0
