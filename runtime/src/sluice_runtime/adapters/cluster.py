"""What a pod adds to the client of its IngestJob: a memory, and the refusal to declare anything itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from sluice_contract.resource import IngestJob
from sluice_contract.status import IngestJobStatus, StreamStatus

from ..ports import JobPort, RefusedError, Wishes
from .decoding import decoded
from .switches import FileSwitch, replace

_log = logging.getLogger(__name__)

# An API server that is there answers sooner; one that is away is waited for no longer than a crash costs anyway.
_PATIENCE_SECONDS = 5.0


class RememberedJob:
    """A job that a restarted container knows even while the API server is away: as this pod read it last."""

    def __init__(self, job: JobPort, file: Path, uid: str) -> None:
        self._job = job
        self._file = file
        self._uid = uid

    async def watch(self) -> AsyncIterator[IngestJob | None]:
        """As JobPort. A job from memory comes first if the API server says nothing for 5 s."""
        changes = self._job.watch()
        change = asyncio.ensure_future(_next(changes))
        try:
            answered, _ = await asyncio.wait({change}, timeout=_PATIENCE_SECONDS)
            remembered = None if answered else self._read()
            if remembered is not None:
                _log.warning("the API server is away: going on with the IngestJob as this pod read it last")
                yield remembered
            while True:
                seen = await change
                self._keep(seen)
                yield seen
                if seen is None:
                    return
                change = asyncio.ensure_future(_next(changes))
        finally:
            change.cancel()

    async def report(self, status: StreamStatus) -> None:
        """As JobPort."""
        await self._job.report(status)

    def _read(self) -> IngestJob | None:
        try:
            job = decoded(self._file.read_bytes(), IngestJob)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            _log.warning("the IngestJob as this pod read it last cannot be read: %s", error)
            return None
        return job if job.metadata.uid == self._uid else None

    def _keep(self, job: IngestJob | None) -> None:
        try:
            if job is None:
                self._file.unlink(missing_ok=True)
            else:
                replace(self._file, msgspec.json.encode(msgspec.structs.replace(job, status=IngestJobStatus())))
        except OSError as error:
            _log.warning("the IngestJob will not be remembered over a restart: %s", error)


class ClusterDeclaration:
    """Declaration: the IngestJob, which a pod never writes. It is watched, so that only a switch file is polled."""

    def __init__(self, file: FileSwitch | None) -> None:
        self._file = file

    def wish(self, wishes: Wishes) -> None:
        """As Declaration."""
        if wishes != Wishes():
            raise RefusedError("in a cluster the IngestJob says what to stream: patch it, and start without a body")

    def reload(self) -> None:
        """As Declaration."""
        if self._file:
            self._file.check()


async def _next(changes: AsyncIterator[IngestJob | None]) -> IngestJob | None:
    return await anext(changes)
