"""The events of a watch in a process of its own, each with the time at which the process has decoded it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sluice_devcluster.layout import StateDirectory

_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class WatchEvent:
    """One event of the watch, and the Unix seconds at which the watcher received it."""

    at: float
    document: dict[str, Any]

    @property
    def name(self) -> str:
        """The name of the object."""
        return str(self.document["metadata"]["name"])

    @property
    def generation(self) -> int:
        """The generation of the spec."""
        return int(self.document["metadata"]["generation"])

    @property
    def stream(self) -> dict[str, Any]:
        """The pod's part of the status; empty until the pod has written it."""
        found: dict[str, Any] = self.document.get("status", {}).get("stream", {})
        return found


class Watcher:
    """The events that the process `bench.watcher` has printed."""

    def __init__(self, lines: asyncio.StreamReader) -> None:
        """Read the events from `lines`, the output of the process."""
        self._lines = lines
        self._seen: list[WatchEvent] = []

    async def wait_until_started(self) -> None:
        """Wait for the line that the process prints once it has a connection to the API server.

        Raises:
            TimeoutError: it has not started within 30 s.
        """
        async with asyncio.timeout(_PATIENCE_SECONDS):
            assert await self._lines.readline(), "the watcher has ended"

    async def first(self, holds: Callable[[WatchEvent], object]) -> WatchEvent:
        """Return the first event, past or future, for which `holds` returns true.

        Raises:
            TimeoutError: there was none within 30 s.
        """
        for event in self._seen:
            if holds(event):
                return event
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not holds(event := await self._next()):
                pass
        return event

    async def _next(self) -> WatchEvent:
        line = await self._lines.readline()
        assert line, "the watcher has ended"
        self._seen.append(WatchEvent(**json.loads(line)))
        return self._seen[-1]


@asynccontextmanager
async def running_watcher(state: StateDirectory, path: str) -> AsyncIterator[Watcher]:
    """Watch the objects of the collection `path` in a process of its own, which has started."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.watcher", str(state.root), path),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        limit=1 << 20,
    )
    assert process.stdout is not None
    try:
        watcher = Watcher(process.stdout)
        await watcher.wait_until_started()
        yield watcher
    finally:
        process.terminate()
        await process.wait()
