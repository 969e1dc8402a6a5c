import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from sluice_contract.resource import IngestJob
from sluice_contract.spec import IngestJobSpec
from sluice_runtime.adapters.pause_file import ManualPause, ManualPauses, PauseFile
from sluice_runtime.adapters.standalone_job import StandaloneJob
from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.declared_job import DeclaredJob
from sluice_runtime.domain.reload_report import FileReading
from sluice_runtime.ports import RequestRefusedError, StartRequest
from sluice_runtime.state.runtime_state import RuntimeState
from support.runtime_fakes import runtime_state, stored_job
from support.virtual_time import at, settle

BY_HAND = ManualPause(since=datetime(2026, 3, 2, tzinfo=UTC), reason="bad prints")


class World:
    """A document that tests change, and the jobs that the runtime reads from it."""

    def __init__(self, directory: Path) -> None:
        self.document: IngestJob | RequestRefusedError = stored_job()
        self.file = PauseFile(directory)
        self.runtime: RuntimeState = runtime_state()
        self.job = StandaloneJob(self._read, self.file, self.runtime.switches, Path("job.yaml"))
        self.seen: list[DeclaredJob] = []

    def _read(self) -> IngestJob:
        if isinstance(self.document, RequestRefusedError):
            raise self.document
        return self.document

    @property
    def spec(self) -> IngestJobSpec:
        """Return the spec of the last job that was read."""
        found = self.seen[-1].spec
        assert found is not None
        return found

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async def follow() -> None:
            async for each in self.job.watch():
                assert each is not None
                self.seen.append(each)

        task = asyncio.create_task(follow())
        await settle()
        try:
            yield
        finally:
            await cancel_and_wait(task)


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_a_changed_document_is_found_within_a_second_counted_and_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with world.running():
        world.document = stored_job(symbols=["SPY"], enabled=False)
        await at(1)
        await at(60)
    assert [each.metadata.generation for each in world.seen] == [1, 2]
    assert (world.spec.symbols, world.spec.enabled) == (["SPY"], False)
    assert caplog.messages == ["job document changed; applying its hot fields"]


async def test_a_cold_change_is_logged_and_only_hot_fields_are_applied(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async with world.running():
        world.document = stored_job(symbols=["SPY"], synthetic={"seed": 7})
        await at(60)
    assert (world.spec.symbols, world.spec.synthetic) == (["SPY"], None)
    [message] = caplog.messages
    assert message == "spec.synthetic can only change with a restart of this runtime; the rest is applied"


async def test_an_unreadable_document_leaves_the_last_readable_one_in_force(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async with world.running():
        world.document = RequestRefusedError("job.yaml is not a YAML document")
        await at(60)
        assert len(caplog.messages) == 1
        _, document = world.job.reload()
    sentence = "job.yaml is not a YAML document; the last version stays in force"
    assert document == FileReading(file="job.yaml", content="not usable", problem=sentence)
    assert caplog.messages == [sentence, sentence]
    assert len(world.seen) == 1


async def test_a_mistake_that_returns_after_it_was_fixed_is_logged_again(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    mistake = RequestRefusedError("job.yaml is not a YAML document")
    documents: list[IngestJob | RequestRefusedError] = [mistake, mistake, stored_job(), mistake]
    async with world.running():
        for moment, document in enumerate(documents, start=1):
            world.document = document
            await at(2 * moment)
        world.document = stored_job(synthetic={"seed": 7})
        await at(20)
        world.document = stored_job(synthetic={"seed": 8})
        await at(30)
        world.job.reload()
    sentence = "spec.synthetic can only change with a restart of this runtime; the rest is applied"
    assert caplog.messages == [f"{mistake}; the last version stays in force"] * 2 + [sentence] * 3


@pytest.mark.parametrize("other", [stored_job(tenant="other", symbols=["SPY"]), stored_job(uid="0b0b")])
async def test_a_document_of_another_job_changes_nothing(world: World, other: IngestJob) -> None:
    is_same = other.spec.tenant == "acme"
    if is_same:
        other = msgspec.structs.replace(other, metadata=msgspec.structs.replace(other.metadata, name="another"))
    async with world.running():
        world.document = other
        await at(10)
        _, document = world.job.reload()
    assert document.problem is not None
    assert re.match(r"the document now declares .*, but this runtime runs .*; restart it; ", document.problem)
    assert len(world.seen) == 1


async def test_pauses_by_command_and_pauses_of_the_document_add_up(world: World) -> None:
    world.document = stored_job(pausedSymbols=[{"symbol": "MSFT"}])
    async with world.running():
        world.file.write(ManualPauses(job=BY_HAND, symbols={"AAPL": BY_HAND}))
        await at(1)
        assert {each.symbol: each.reason for each in world.spec.paused_symbols} == {
            "MSFT": "",
            "AAPL": "bad prints",
        }
        [switch] = world.runtime.switches.value
        assert (switch.source, switch.reason) == (f"file:{world.file.path}", "bad prints")
        world.file.write(ManualPauses())
        await at(2)
        assert world.runtime.switches.value == ()


async def test_a_damaged_pause_file_leaves_its_last_pauses_in_force_and_is_logged_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.file.write(ManualPauses(job=BY_HAND))
    async with world.running():
        damage(world.file.path)
        await at(60)
        assert len(world.runtime.switches.value) == 1
    assert caplog.text.count("PAUSE_CHECK_FAILED") == 1


async def test_a_start_request_is_in_force_until_a_reload(world: World) -> None:
    async with world.running():
        world.job.override_until_reload(StartRequest(provider="synthetic", symbols=[" SPY\n"]))
        world.job.override_until_reload(StartRequest(dry_run=True))
        await settle()
        assert (world.spec.symbols, world.spec.dry_run) == (["SPY"], True)
        world.job.reload()
        await settle()
        assert world.seen[-1].spec == stored_job().spec


@pytest.mark.parametrize(
    "start_request",
    [
        StartRequest(provider="alpaca"),
        StartRequest(symbols=["spy"]),
        StartRequest(symbols=[f"S{n}" for n in range(2001)]),
    ],
)
async def test_an_impossible_start_request_is_rejected(world: World, start_request: StartRequest) -> None:
    with pytest.raises(RequestRefusedError):
        world.job.override_until_reload(start_request)


async def test_simulated_quotes_are_never_written_whatever_changes(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world.document = stored_job(provider="alpaca", dryRun=True)
    simulated = StandaloneJob(world._read, PauseFile(tmp_path), world.runtime.switches)
    with pytest.raises(RequestRefusedError):
        simulated.override_until_reload(StartRequest(dry_run=False))
    world.document = stored_job(provider="alpaca", alpaca={"credentialsSecretRef": {"name": "alpaca"}})
    assert simulated.reload()[0].problem is None  # there is no document beside the pause file
    assert "no other change can be applied" in caplog.text
    async for each in simulated.watch():
        assert each is not None
        assert each.spec is not None
        assert each.spec.dry_run
        break


async def test_a_reload_reads_the_pause_file_and_the_document_at_once(world: World) -> None:
    async with world.running():
        world.file.write(ManualPauses(job=BY_HAND, symbols={"AAPL": BY_HAND}))
        world.document = stored_job(symbols=["SPY"], dryRun=True)
        files = world.job.reload()
        assert [each.content for each in files] == [
            "pauses the whole job, AAPL",
            "changed: spec.dryRun, spec.symbols",
        ]
        assert world.job.generation == 2
        assert [each.pauses for each in world.runtime.switches.value] == [True]
        await settle()
        assert (world.spec.symbols, world.spec.dry_run) == (["SPY"], True)


async def test_a_reload_of_unchanged_files_keeps_the_generation(world: World) -> None:
    async with world.running():
        assert [each.content for each in world.job.reload()] == ["no pause", "unchanged"]
        assert world.job.generation == 1


async def test_a_reload_names_the_fields_that_need_a_restart(world: World) -> None:
    async with world.running():
        world.document = stored_job(symbols=["SPY"], synthetic={"seed": 7})
        _, document = world.job.reload()
        assert document.content == "changed: spec.symbols; spec.synthetic needs a restart of this runtime"
        world.document = stored_job(symbols=["SPY"])
        assert world.job.reload()[1].content == "unchanged"


async def test_a_damaged_pause_file_does_not_keep_a_reload_from_the_document(world: World) -> None:
    async with world.running():
        damage(world.file.path)
        world.document = stored_job(enabled=False)
        pauses, document = world.job.reload()
        assert (pauses.content, document.content) == ("not usable", "changed: spec.enabled")
        assert pauses.problem is not None
        await settle()
        assert not world.spec.enabled


@pytest.mark.parametrize("symbols", [[], [""], [" ", "\n"]])
async def test_a_start_without_symbols_is_refused_with_what_to_do(world: World, symbols: list[str]) -> None:
    with pytest.raises(RequestRefusedError, match=r"^symbols is empty, .*; name at least one, or leave symbols out"):
        world.job.override_until_reload(StartRequest(symbols=symbols))


async def test_the_generation_of_a_start_request_is_the_one_that_is_applied(world: World) -> None:
    async with world.running():
        world.job.override_until_reload(StartRequest(symbols=["SPY"]))
        assert world.job.generation == 2
        await settle()
        assert [each.metadata.generation for each in world.seen] == [1, 2]


def damage(path: Path) -> None:
    path.write_text("{")


async def test_a_long_reason_in_the_pause_file_is_cut_and_accepted_with_a_start_request(world: World) -> None:
    long = ManualPause(since=BY_HAND.since, reason="r" * 10_000)
    world.file.write(ManualPauses(job=long, symbols={"AAPL": long}))
    async with world.running():
        [switch] = world.runtime.switches.value
        assert switch.reason == "r" * 255 + "…"
        assert [each.reason for each in world.spec.paused_symbols] == ["r" * 255 + "…"]
        world.job.override_until_reload(StartRequest(dry_run=True))


async def test_duplicate_symbols_are_logged_once_until_they_change(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    sentence = "spec.symbols contains SPY more than once; it is used once. Remove the duplicates from spec.symbols."
    world.document = stored_job(symbols=["SPY", "AAPL", "SPY"])
    async with world.running():
        await at(5)
        assert caplog.messages == [sentence]
        world.document = stored_job(symbols=["SPY", "AAPL"])
        await at(10)
        world.document = stored_job(symbols=["SPY", "SPY"])
        await at(15)
    assert caplog.messages == [sentence, sentence]
