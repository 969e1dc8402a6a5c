"""The IngestJob in a cluster: cached on disk for restarts, and never changed by the pod."""

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

BlockingRunner = Callable[[Callable[[], None]], Awaitable[None]]

# A reachable API server answers sooner; waiting longer for an unreachable one would only delay the stream.
_FIRST_ANSWER_SECONDS = 5.0


class CachedJob:
    """The IngestJob, with its last readable version cached in a file.

    A restarted container can use the cached version while the API server is unreachable. From a newer version that
    cannot be read, only the stop fields are applied.
    """

    def __init__(self, job: JobPort, file: Path, uid: str, run_blocking: BlockingRunner = asyncio.to_thread) -> None:
        """`run_blocking` runs file operations outside the event loop, so that a stop never waits for the disk."""
        self._job = job
        self._file = file
        self._uid = uid
        self._run_blocking = run_blocking

    async def watch(self) -> AsyncIterator[DeclaredJob | None]:
        """Yield the versions of the job. The cached one comes first if the API server does not answer within 5 s."""
        last = self._read()
        changes = self._job.watch()
        change = asyncio.ensure_future(_next(changes))
        try:
            answered, _ = await asyncio.wait({change}, timeout=_FIRST_ANSWER_SECONDS)
            if not answered and last is not None:
                _log.warning("the API server does not answer; continuing with the cached IngestJob")
                yield last
            while True:
                seen = await change
                if seen is None:
                    await self._run_blocking(self._forget)
                    yield None
                    return
                last = seen.with_last_readable_spec(last)
                yield last
                await self._run_blocking(partial(self._keep, last))
                change = asyncio.ensure_future(_next(changes))
        finally:
            change.cancel()

    async def report(self, status: StreamStatus) -> None:
        await self._job.report(status)

    def _read(self) -> DeclaredJob | None:
        try:
            job = decoded(self._file.read_bytes(), DeclaredJob)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            _log.warning("cannot read the cached IngestJob: %s", error)
            return None
        return job if job.metadata.uid == self._uid else None

    def _keep(self, job: DeclaredJob) -> None:
        try:
            replace(self._file, msgspec.json.encode(msgspec.structs.replace(job, earlier_stream=None)))
        except OSError as error:
            _log.warning("cannot cache the IngestJob for a restart: %s", error)

    def _forget(self) -> None:
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            _log.warning("cannot delete the cached copy of the deleted IngestJob: %s", error)


class ReadOnlyDeclaration:
    """The declaration in a cluster: the IngestJob, which a pod never writes and which needs no polling."""

    def __init__(self, file: FileSwitch | None) -> None:
        self._file = file

    def override(self, start_request: StartRequest) -> None:
        """Refuse every change, because the IngestJob is the only declaration in a cluster."""
        if start_request != StartRequest():
            raise RefusedError("in a cluster the IngestJob says what to stream; patch it, and start without a body")

    def reload(self) -> None:
        """Read the switch file, if there is one. The IngestJob is watched."""
        if self._file:
            self._file.check()


async def _next(changes: AsyncIterator[DeclaredJob | None]) -> DeclaredJob | None:
    return await anext(changes)
