"""What a pod adds to the client of its IngestJob: a memory, and the refusal to declare anything itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import msgspec

from sluice_contract.status import StreamStatus

from ..domain.declared_job import DeclaredJob
from ..ports import JobPort, RefusedError, StartRequest
from .decoding import decoded
from .switches import FileSwitch, replace

_log = logging.getLogger(__name__)

Aside = Callable[[Callable[[], None]], Awaitable[None]]

# An API server that is there answers sooner; one that is away is waited for no longer than a crash costs anyway.
_PATIENCE_SECONDS = 5.0


class RememberedJob:
    """The job, and the last version of it that this pod understood.

    A restarted container knows it even while the API server is away. A newer version that is not understood
    changes only its stop fields.
    """

    def __init__(self, job: JobPort, file: Path, uid: str, aside: Aside = asyncio.to_thread) -> None:
        """`aside` runs what may block on the disk without holding up the loop: a stop must not wait for it."""
        self._job = job
        self._file = file
        self._uid = uid
        self._aside = aside

    async def watch(self) -> AsyncIterator[DeclaredJob | None]:
        """Yield the versions of the job. One from memory comes first if the API server says nothing for 5 s."""
        last = self._read()
        changes = self._job.watch()
        change = asyncio.ensure_future(_next(changes))
        try:
            answered, _ = await asyncio.wait({change}, timeout=_PATIENCE_SECONDS)
            if not answered and last is not None:
                _log.warning("the API server is away: going on with the IngestJob as this pod read it last")
                yield last
            while True:
                seen = await change
                if seen is None:
                    await self._aside(self._forget)
                    yield None
                    return
                last = seen.with_last_understood(last)
                yield last
                await self._aside(partial(self._keep, last))
                change = asyncio.ensure_future(_next(changes))
        finally:
            change.cancel()

    async def report(self, status: StreamStatus) -> None:
        """As JobPort."""
        await self._job.report(status)

    def _read(self) -> DeclaredJob | None:
        try:
            job = decoded(self._file.read_bytes(), DeclaredJob)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            _log.warning("the IngestJob as this pod read it last cannot be read: %s", error)
            return None
        return job if job.metadata.uid == self._uid else None

    def _keep(self, job: DeclaredJob) -> None:
        try:
            replace(self._file, msgspec.json.encode(msgspec.structs.replace(job, earlier_stream=None)))
        except OSError as error:
            _log.warning("the IngestJob will not be remembered over a restart: %s", error)

    def _forget(self) -> None:
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            _log.warning("the IngestJob is still remembered, although it is gone: %s", error)


class ClusterDeclaration:
    """Declaration: the IngestJob, which a pod never writes. It is watched, so that only a switch file is polled."""

    def __init__(self, file: FileSwitch | None) -> None:
        self._file = file

    def override(self, wishes: StartRequest) -> None:
        """As Declaration."""
        if wishes != StartRequest():
            raise RefusedError("in a cluster the IngestJob says what to stream: patch it, and start without a body")

    def reload(self) -> None:
        """As Declaration."""
        if self._file:
            self._file.check()


async def _next(changes: AsyncIterator[DeclaredJob | None]) -> DeclaredJob | None:
    return await anext(changes)
