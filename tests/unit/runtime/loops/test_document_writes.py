"""Requests to the sink that run side by side: which are sent together, and what a failure means."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from sluice_runtime.domain.failure import SinkError
from sluice_runtime.loops.document_writes import DocumentWrites, WriteRequest
from support.virtual_time import at

LOCKED = SinkError("locked", scope="documents")
NO_ANSWER = SinkError("no answer", scope="unknown")


class World:
    """Requests that fail, hang or succeed, by document."""

    def __init__(self) -> None:
        self.reports: list[str | None] = []
        self.is_heartbeat_failing = False
        self.failures: dict[str, Exception] = {}
        self.seconds: dict[str, float] = {}
        self.sent: list[list[str]] = []
        self.undone: list[list[str]] = []
        self.writes = DocumentWrites(self.reports.append, lambda: self.is_heartbeat_failing)

    def start(self, *documents: str) -> None:
        async def send() -> None:
            self.sent.append(list(documents))
            await asyncio.sleep(max(self.seconds.get(each, 0.1) for each in documents))
            for document in documents:
                if document in self.failures:
                    raise self.failures[document]

        self.writes.start(WriteRequest(documents, send, lambda: self.undone.append(list(documents)), "quotes"))

    def start_grouped(self, *documents: str) -> None:
        for group in self.writes.group(each for each in documents if not self.writes.is_blocked(each)):
            self.start(*group)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    await world.writes.cancel()


async def test_few_documents_are_written_one_by_one_and_many_together(world: World) -> None:
    assert world.writes.group("abc") == [["a"], ["b"], ["c"]]
    many = [str(n) for n in range(11)]
    assert world.writes.group(many) == [many]


async def test_a_document_is_blocked_while_its_write_is_in_flight(world: World) -> None:
    world.seconds["a"] = 2.0
    world.start("a")
    world.start("b")
    await world.writes.wait(0.5)
    assert (world.writes.is_blocked("a"), world.writes.is_blocked("b")) == (True, False)
    assert world.writes.has_requests_in_flight("quotes")
    assert not world.writes.has_requests_in_flight("documents")
    await world.writes.wait()
    assert not world.writes.is_blocked("a")


async def test_after_a_refused_batch_each_document_is_written_alone_and_one_is_named(world: World) -> None:
    names = [f"d{n}" for n in range(20)]
    world.failures["d7"] = LOCKED
    world.start_grouped(*names)
    await world.writes.wait()
    assert world.sent == [names]
    assert world.undone == [names]
    assert world.writes.failure_message is None
    world.start_grouped(*names)
    await world.writes.wait()
    assert world.sent[1:] == [[name] for name in names]
    assert world.undone[1:] == [["d7"]]
    assert world.writes.failure_message == "d7: locked"
    assert world.reports[-1] == "d7: locked"
    assert world.writes.take_database_failure("quotes") is None
    assert [name for name in names if world.writes.is_blocked(name)] == ["d7"]
    await at(2)
    world.failures.clear()
    world.start_grouped("d7")
    await world.writes.wait()
    assert world.reports[-1] is None


async def test_a_refusal_by_the_database_isolates_no_document(world: World) -> None:
    world.failures = {"a": SinkError("no quota")}
    world.start("a", "b")
    await world.writes.wait()
    failure = world.writes.take_database_failure("quotes")
    assert failure is not None
    assert failure.message == "no quota"
    assert world.writes.take_database_failure("quotes") is None
    assert not world.writes.is_blocked("a")
    assert not world.writes.has_succeeded_since_failure
    world.start("c")
    await world.writes.wait()
    assert world.writes.has_succeeded_since_failure


async def test_failures_of_requests_that_were_in_flight_together_count_once(world: World) -> None:
    world.failures = {"a": SinkError("away"), "b": SinkError("away")}
    world.seconds["b"] = 2.0
    world.start("a")
    world.start("b")
    await world.writes.wait(0.5)
    assert world.writes.take_database_failure("quotes") is not None
    await world.writes.wait()
    assert world.writes.take_database_failure("quotes") is None


async def test_no_answer_is_the_document_s_fault_if_others_are_answered(world: World) -> None:
    world.failures["a"], world.seconds["a"] = NO_ANSWER, 2.5
    world.start("a")
    await at(1)
    world.start("b")
    await world.writes.wait()
    assert world.writes.failure_message == "a: no answer"
    assert world.writes.take_database_failure("quotes") is None


async def test_no_answer_is_the_database_s_fault_if_nothing_is_answered(world: World) -> None:
    for name in "ab":
        world.failures[name], world.seconds[name] = NO_ANSWER, 2.5
        world.start(name)
    await world.writes.wait()
    assert world.writes.take_database_failure("quotes") is NO_ANSWER


async def test_no_answer_is_the_database_s_fault_if_heartbeats_fail_too(world: World) -> None:
    world.is_heartbeat_failing = True
    world.failures["a"] = NO_ANSWER
    world.start("a")
    await world.writes.wait()
    assert world.writes.take_database_failure("quotes") is NO_ANSWER


async def test_cancelled_requests_are_undone(world: World) -> None:
    world.seconds["a"] = 9.0
    world.start("a")
    await at(1)
    await world.writes.cancel()
    assert world.undone == [["a"]]
    assert not world.writes.is_blocked("a")


async def test_a_mistake_in_the_program_is_not_hidden(world: World) -> None:
    world.failures["a"] = KeyError("a mistake")
    world.start("a")
    with pytest.raises(KeyError):
        await world.writes.wait()


async def test_forgotten_documents_are_no_longer_reported(world: World) -> None:
    world.failures["a"] = LOCKED
    world.start("a")
    await world.writes.wait()
    world.writes.forget(["a"])
    assert world.reports[-1] is None
    assert not world.writes.is_blocked("a")
