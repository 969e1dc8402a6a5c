import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from sluice_runtime.adapters.cached_job import CachedJob, ReadOnlyDeclaration
from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.declared_job import DeclaredJob
from sluice_runtime.domain.health import stream_status
from sluice_runtime.ports import RequestRefusedError, StartRequest
from support.runtime_fakes import JOB_UID, FakeJob, job, runtime_state
from support.virtual_time import at, seconds, settle


async def at_once(work: Callable[[], None]) -> None:
    """Run the work at once, like a disk that takes no time."""
    work()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "job.json"


class Seen:
    """Collects the jobs that a watch reports, with their times."""

    def __init__(self, port: CachedJob) -> None:
        self.jobs: list[tuple[float, DeclaredJob | None]] = []
        self._port = port

    async def follow(self) -> None:
        async for each in self._port.watch():
            self.jobs.append((seconds(), each))


async def watched(
    port: FakeJob, file: Path, until: float, uid: str = JOB_UID
) -> list[tuple[float, DeclaredJob | None]]:
    seen = Seen(CachedJob(port, file, uid, at_once))
    task = asyncio.create_task(seen.follow())
    await at(until)
    await cancel_and_wait(task)
    return seen.jobs


async def test_the_job_from_the_api_server_is_passed_on_and_cached(file: Path) -> None:
    first, second = job(1), job(2, enabled=False, pause={"reason": "x", "until": "2026-03-02T16:00:00Z"})
    assert await watched(FakeJob(first, second), file, 1) == [(0, first), (0, second)]
    assert await watched(FakeJob(), file, 7) == [(6, second)]


async def test_the_cached_job_is_used_after_a_wait_and_replaced_by_the_api_server_s(file: Path) -> None:
    await watched(FakeJob(job(1)), file, 1)
    port = FakeJob()
    seen = Seen(CachedJob(port, file, JOB_UID, at_once))
    task = asyncio.create_task(seen.follow())
    await at(5.9)
    assert seen.jobs == []
    await at(100)
    port.declare(job(2))
    await settle()
    await cancel_and_wait(task)
    assert seen.jobs == [(6, job(1)), (100, job(2))]


async def test_a_pod_without_a_cached_job_waits_for_the_api_server(file: Path) -> None:
    assert await watched(FakeJob(), file, 1000) == []


async def test_another_job_s_cached_document_is_ignored(file: Path) -> None:
    await watched(FakeJob(job(1)), file, 1)
    assert await watched(FakeJob(), file, 1000, uid="another") == []


async def test_a_deleted_job_is_removed_from_the_cache(file: Path) -> None:
    assert await watched(FakeJob(job(1), None), file, 1) == [(0, job(1)), (0, None)]
    assert await watched(FakeJob(), file, 1000) == []


async def test_a_damaged_cache_is_ignored(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    await watched(FakeJob(job(1)), file, 1)
    damage(file)
    assert await watched(FakeJob(), file, 1000) == []
    assert "cannot read the cached IngestJob" in caplog.text


async def test_a_disk_that_cannot_be_written_does_not_prevent_streaming(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damage(tmp_path / "state")
    assert await watched(FakeJob(job(1)), tmp_path / "state" / "job.json", 1) == [(0, job(1))]
    assert "cannot cache the IngestJob" in caplog.text


async def test_a_disk_that_hangs_delays_neither_a_stop_nor_the_deletion(file: Path) -> None:
    async def never(_: Callable[[], None]) -> None:
        await asyncio.Event().wait()

    port = FakeJob(job(1))
    seen = Seen(CachedJob(port, file, JOB_UID, never))
    task = asyncio.create_task(seen.follow())
    await at(1)
    port.declare(job(2, enabled=False))
    await at(2)
    port.declare(None)
    await at(3)
    assert seen.jobs == [(0, job(1)), (1, job(2, enabled=False)), (2, None)]
    await cancel_and_wait(task)


async def test_the_status_is_not_cached(file: Path) -> None:
    reported = msgspec.structs.replace(job(1), earlier_stream=stream_status(runtime_state().snapshot()))
    await watched(FakeJob(reported), file, 1)
    [(_, found)] = await watched(FakeJob(), file, 7)
    assert found is not None
    assert found.earlier_stream is None


async def test_reports_go_through(file: Path) -> None:
    port = FakeJob()
    await CachedJob(port, file, JOB_UID, at_once).report_status(stream_status(runtime_state().snapshot()))
    assert len(port.reports) == 1


def test_a_pod_declares_nothing_itself() -> None:
    declaration = ReadOnlyDeclaration()
    declaration.override_until_reload(StartRequest())
    assert (declaration.reload(), declaration.generation) == ((), 0)
    with pytest.raises(RequestRefusedError, match="patch it"):
        declaration.override_until_reload(StartRequest(dry_run=True))


def damage(file: Path, content: str = "{") -> None:
    file.write_text(content)
