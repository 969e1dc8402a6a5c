"""The IngestJob in a cluster: cached on disk for restarts, and never changed by the pod."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import msgspec

from sluice_contract.status import StreamStatus

from ..aio.latest_value import LatestValue
from ..domain.declared_job import DeclaredJob
from ..domain.reload_report import FileReading
from ..ports import JobPort, RequestRefusedError, StartRequest
from .decoding import decode_json
from .error_text import file_error_text
from .switches import write_file_atomically

_log = logging.getLogger(__name__)

BlockingRunner = Callable[[Callable[[], None]], Awaitable[None]]

# A reachable API server answers sooner; waiting longer for an unreachable one would only delay the stream.
_FIRST_ANSWER_SECONDS = 5.0


class CachedJob:
    """The IngestJob, with its last readable version cached in a file.

    After a restart, the container uses the cached version while the API server is unreachable. If a newer version of
    the job cannot be read, only its stop fields are applied.
    """

    def __init__(self, job: JobPort, file: Path, uid: str, run_blocking: BlockingRunner = asyncio.to_thread) -> None:
        """`run_blocking` runs file operations outside the event loop, so that a stop never waits for the disk."""
        self._job = job
        self._file = file
        self._uid = uid
        self._run_blocking = run_blocking

    async def watch(self) -> AsyncIterator[DeclaredJob | None]:
        """Yield each version of the job. If the API server does not answer within 5 s, yield the cached one first."""
        last = self._read_cached_job()
        changes = self._job.watch()
        change = asyncio.ensure_future(_next_change(changes))
        newest: LatestValue[tuple[DeclaredJob | None, ...]] = LatestValue(())
        caching = asyncio.ensure_future(self._cache_each_version(newest))
        try:
            answered, _ = await asyncio.wait({change}, timeout=_FIRST_ANSWER_SECONDS)
            if not answered and last is not None:
                _log.warning("the API server does not answer; continuing with the cached IngestJob")
                yield last
            while True:
                seen = await change
                if seen is None:
                    newest.set((None,))
                    yield None
                    await caching
                    return
                last = seen.with_fallback_spec(last)
                newest.set((last,))
                yield last
                change = asyncio.ensure_future(_next_change(changes))
        finally:
            change.cancel()
            caching.cancel()

    async def report_status(self, status: StreamStatus) -> None:
        await self._job.report_status(status)

    async def _cache_each_version(self, newest: LatestValue[tuple[DeclaredJob | None, ...]]) -> None:
        """Write each version of the job to the file. When the job is gone, delete the file and return.

        A slow disk skips versions, and delays none of them: the next one can be a stop.
        """
        version = 0
        while True:
            version = await newest.wait_for_change(version)
            [job] = newest.value
            if job is None:
                await self._run_blocking(self._try_to_delete_cache)
                return
            await self._run_blocking(partial(self._try_to_write_cache, job))

    def _read_cached_job(self) -> DeclaredJob | None:
        try:
            job = decode_json(self._file.read_bytes(), DeclaredJob)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            _log.warning("cannot read the cached IngestJob: %s", file_error_text(error))
            return None
        return job if job.metadata.uid == self._uid else None

    def _try_to_write_cache(self, job: DeclaredJob) -> None:
        try:
            write_file_atomically(self._file, msgspec.json.encode(msgspec.structs.replace(job, earlier_stream=None)))
        except OSError as error:
            _log.warning("cannot cache the IngestJob for a restart: %s", file_error_text(error))

    def _try_to_delete_cache(self) -> None:
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            _log.warning("cannot delete the cached copy of the deleted IngestJob: %s", file_error_text(error))


class ReadOnlyDeclaration:
    """The declaration of a job in a cluster, which is its IngestJob. The pod watches it and never changes its spec."""

    generation = 0  # of the versions that this pod declares itself; there are none

    def override_until_reload(self, start_request: StartRequest) -> None:
        """Refuse a start request with values: in a cluster, only the IngestJob declares what to stream."""
        if start_request != StartRequest():
            raise RequestRefusedError(
                "in a cluster the IngestJob says what to stream; patch it, and start without a body"
            )

    def reload(self) -> tuple[FileReading, ...]:
        """Do nothing: the IngestJob is watched, and no file declares it."""
        return ()


async def _next_change(changes: AsyncIterator[DeclaredJob | None]) -> DeclaredJob | None:
    return await anext(changes)
