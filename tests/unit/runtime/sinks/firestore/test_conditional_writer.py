"""Which changes are committed, and with which preconditions. The effect of conflicts is tested with the emulator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest
from google.api_core import exceptions
from google.cloud.firestore_v1.types import CommitRequest
from google.protobuf.timestamp_pb2 import Timestamp

from sluice_runtime.sinks.firestore.conditional_writer import ConditionalWriter, DocumentChange
from sluice_runtime.sinks.firestore.connection import FirestoreConnection, StoredDocument
from sluice_runtime.sinks.firestore.writes import Writes


class FakeConnection:
    """A database in memory that checks the preconditions of each commit. The update times are a count."""

    database = "projects/p/databases/d"

    def __init__(self) -> None:
        self.stored: dict[str, tuple[int, Any]] = {}  # update time and field `job`
        self.reads: list[Sequence[str]] = []
        self.commits: list[CommitRequest] = []
        self.time = 100

    async def read_documents(self, names: Sequence[str], fields: Sequence[str], seconds: float) -> list[StoredDocument]:
        assert seconds > 0
        if names:
            self.reads.append(names)
        found = [(name, *self.stored[name]) for name in names if name in self.stored]
        return [StoredDocument(name, {"job": job}, Timestamp(seconds=at), 0.0) for name, at, job in found]

    async def commit(self, writes: Writes, seconds: float) -> list[Any]:
        assert seconds > 0
        self.commits.append(writes.request)
        request = CommitRequest.pb(writes.request)
        for write in request.writes:
            at = self.stored.get(write.update.name or write.delete, (0, None))[0]
            if write.current_document.update_time.seconds != at:
                raise exceptions.FailedPrecondition("the stored version does not match")
        self.time += 1
        for write in request.writes:
            if write.delete:
                del self.stored[write.delete]
            else:
                self.stored[write.update.name] = (self.time, write.update.fields["job"].string_value)
        return [Timestamp(seconds=self.time) for _ in request.writes]


def replacement(job: str = "us") -> DocumentChange:
    return DocumentChange("replace", {"job": job})


@pytest.fixture
def connection() -> FakeConnection:
    return FakeConnection()


@pytest.fixture
def writer(connection: FakeConnection) -> ConditionalWriter:
    return ConditionalWriter(cast(FirestoreConnection, connection))


async def test_each_document_is_read_before_its_first_write_only(
    writer: ConditionalWriter, connection: FakeConnection
) -> None:
    connection.stored["b"] = (7, "us")
    for _ in range(3):
        await writer.commit({"a": replacement(), "b": replacement()})
    assert connection.reads == [["a", "b"]]
    assert len(connection.commits) == 3


async def test_a_conflict_is_resolved_by_one_read(writer: ConditionalWriter, connection: FakeConnection) -> None:
    await writer.commit({"a": replacement(), "b": replacement()})
    connection.stored["a"] = (999, "foreign")
    del connection.stored["b"]
    await writer.commit({"a": replacement(), "b": replacement()})
    assert {job for _, job in connection.stored.values()} == {"us"}
    assert len(connection.reads) == 2


async def test_a_document_that_is_changed_all_the_time_is_given_up(
    writer: ConditionalWriter, connection: FakeConnection
) -> None:
    read = connection.read_documents

    async def overtaken(names: Sequence[str], fields: Sequence[str], seconds: float) -> list[StoredDocument]:
        found = await read(names, fields, seconds)
        connection.time += 1
        connection.stored["a"] = (connection.time, "foreign")
        return found

    connection.read_documents = overtaken  # type: ignore[method-assign]
    with pytest.raises(exceptions.FailedPrecondition):
        await writer.commit({"a": replacement()})
    assert len(connection.commits) == 3


async def test_updates_and_deletions_skip_missing_documents(
    writer: ConditionalWriter, connection: FakeConnection
) -> None:
    connection.stored["a"] = (7, "us")
    update = DocumentChange("update", {"status": "stale"})
    assert await writer.commit({"a": update, "b": update}) == {"b"}
    deletion = DocumentChange("delete", owners=("us",))
    connection.stored["a"] = (8, "us")
    assert await writer.commit({"a": deletion, "b": deletion}) >= {"b"}
    assert connection.stored == {}


async def test_documents_of_other_owners_are_skipped(writer: ConditionalWriter, connection: FakeConnection) -> None:
    connection.stored = {"a": (7, "us"), "b": (8, "them")}
    assert await writer.commit(dict.fromkeys("ab", DocumentChange("delete", owners=("us",)))) == set()
    assert set(connection.stored) == {"b"}
    merge = DocumentChange("merge", {"job": ""}, (None, "us"))
    await writer.commit({"b": merge, "c": merge})
    assert connection.stored["b"] == (8, "them")
    assert "c" in connection.stored


async def test_forgotten_documents_are_read_again(writer: ConditionalWriter, connection: FakeConnection) -> None:
    await writer.commit({"a": replacement()})
    writer.forget(["a", "never seen"])
    await writer.commit({"a": replacement()})
    assert len(connection.reads) == 2
    writer.record_read(["x"], [])
    await writer.commit({"x": replacement()})
    assert len(connection.reads) == 2
