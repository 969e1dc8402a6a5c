"""A runtime's HTTP interface with nothing behind it: the answers are real, what they tell is up to the test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp.test_utils import TestServer

from sluice_runtime.adapters.http.api import http_application
from sluice_runtime.adapters.http.control import control_routes, local_request_check, token_check
from sluice_runtime.domain.desired import with_pause
from sluice_runtime.domain.failure import StreamError
from sluice_runtime.domain.health import RuntimeSnapshot
from sluice_runtime.domain.pause import PauseInForce
from sluice_runtime.ports import RequestRefusedError, StartRequest
from support.runtime_fakes import desired, journal


class AnsweringRuntime:
    """Does at once what it is asked, save what the test wants otherwise. `asked` is what it was asked, in order."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.book = journal()
        self.counters, self.coalescer = self.book.counters, self.book.coalescer
        self.looks_until_live = 0  # snapshots after a start
        self.heeds_dry_run = True
        self.heeds_stop = True
        self.failure: StreamError | None = None  # of the start
        self.others: tuple[str, ...] = ()  # what pauses beside `api`
        self.unreadable: RequestRefusedError | None = None  # what a reload ends with

    @asynccontextmanager
    async def answering(self, token_file: Path | None = None) -> AsyncIterator[str]:
        """The base URL of it; with a token file as in a cluster, else as on one machine."""
        guard = token_check(token_file) if token_file else local_request_check
        async with TestServer(http_application(self, control_routes(self, self, guard))) as server:
            yield str(server.make_url("/"))

    def snapshot(self) -> RuntimeSnapshot:
        """As Record."""
        if self.book.state == "Connecting":
            if self.looks_until_live == 0:
                self.book.on_state("Live")
            self.looks_until_live -= 1
        return self.book.snapshot()

    async def stop(self, reason: str | None) -> bool:
        """As Controls."""
        self.asked.append(f"stop: {reason}")
        if self.heeds_stop:
            self.book.desired.set(with_pause(self.book.desired.value, PauseInForce(source="api", reason=reason)))
            self.book.on_state("Paused")
            self.book.acknowledge_pause()
        return True

    async def start(self, wishes: StartRequest) -> tuple[str, ...]:
        """As Controls."""
        self.asked.append(f"start: {wishes.dry_run}")
        self.book.desired.set(desired(dryRun=bool(wishes.dry_run) and self.heeds_dry_run))
        self.book.on_state("Connecting")
        if self.failure is not None:
            self.book.record_stream_failure(self.failure)
            self.book.on_state("BackingOff")
        return self.others

    def reload(self) -> None:
        """As Controls."""
        self.asked.append("reload")
        if self.unreadable is not None:
            raise self.unreadable
