"""The runtime's real HTTP interface in front of a fake runtime whose behaviour the test chooses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Set
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp.test_utils import TestServer

from sluice_runtime.adapters.http.api import create_http_application
from sluice_runtime.adapters.http.bearer_token import create_token_check
from sluice_runtime.adapters.http.control import control_routes, refusal_unless_local
from sluice_runtime.domain.desired import with_pause
from sluice_runtime.domain.failure import StreamError
from sluice_runtime.domain.freshness import SymbolFreshness
from sluice_runtime.domain.health import DestinationReport, RuntimeSnapshot
from sluice_runtime.domain.pause import PauseInForce
from sluice_runtime.domain.reload_report import FileReading, ReloadReport
from sluice_runtime.ports import StartRequest
from support.runtime_fakes import desired, runtime_state


class AnsweringRuntime:
    """A fake runtime that carries out each request at once. Tests change its attributes to make it behave differently.

    `asked` are the requests, in order. It implements the ports RuntimeView and Controls.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.runtime = runtime_state()
        self.counters, self.coalescer = self.runtime.counters, self.runtime.market.coalescer
        self.quotes, self.measurements = self.runtime.quotes, self.runtime.instruments.measurements
        self.snapshots_until_live = 0  # snapshots after a start until the state is Live
        self.obeys_dry_run = True
        self.obeys_stop = True
        self.failure: StreamError | None = None  # reported after a start
        self.others: tuple[str, ...] = ()  # sources other than `api` that pause the job
        self.problem: str | None = None  # of the document that a reload reads

    @asynccontextmanager
    async def answering(self, token_file: Path | None = None) -> AsyncIterator[str]:
        """Serve the HTTP interface and yield its base URL.

        With a token file, requests need its token, as in a cluster; without one, they must come from the same machine.
        """
        guard = create_token_check(token_file) if token_file else refusal_unless_local
        async with TestServer(create_http_application(self, control_routes(self, self, guard))) as server:
            yield str(server.make_url("/"))

    @property
    def failing_writes(self) -> Set[str]:
        return self.runtime.sink_health.failing_writes

    @property
    def batches(self) -> int:
        return self.runtime.stream.batches

    def freshness_by_symbol(self) -> dict[str, SymbolFreshness]:
        return {}

    def destination_reports(self) -> list[DestinationReport]:
        return self.runtime.destination_healths.reports()

    def snapshot(self) -> RuntimeSnapshot:
        if self.runtime.stream.state == "Connecting":
            if self.snapshots_until_live == 0:
                self.runtime.stream.on_state("Live")
            self.snapshots_until_live -= 1
        return self.runtime.snapshot()

    async def pause_job(self, reason: str | None) -> bool:
        self.asked.append(f"stop: {reason}")
        if self.obeys_stop:
            self.runtime.desired.set(with_pause(self.runtime.desired.value, PauseInForce(source="api", reason=reason)))
            self.runtime.stream.on_state("Paused")
            self.runtime.stream.acknowledge_pause(self.runtime.sink_health.last_write_at)
        return True

    async def resume_job(self, wishes: StartRequest) -> tuple[str, ...]:
        self.asked.append(f"start: {wishes.dry_run}")
        self.runtime.desired.set(desired(dryRun=bool(wishes.dry_run) and self.obeys_dry_run))
        self.runtime.stream.on_state("Connecting")
        if self.failure is not None:
            self.runtime.stream.record_failure(self.failure)
            self.runtime.stream.on_state("BackingOff")
        return self.others

    async def reload(self) -> ReloadReport:
        self.asked.append("reload")
        reading = FileReading(file="job.yaml", content="unchanged", problem=self.problem)
        return ReloadReport(files=(reading,), effect="the stream continues")
