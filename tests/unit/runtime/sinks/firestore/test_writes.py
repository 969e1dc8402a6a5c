"""The writes of a commit, as Firestore's public types."""

from datetime import UTC, datetime

import pytest
from google.cloud.firestore_v1.types import CommitRequest, Document, MapValue, Precondition, Value, Write
from google.protobuf.timestamp_pb2 import Timestamp

from sluice_runtime.sinks.firestore.writes import Writes

DATABASE = "projects/p/databases/(default)"
NAME = f"{DATABASE}/documents/tenants/acme/live_quotes/AAPL"
READ_AT = Timestamp(seconds=1772463600, nanos=123456789)
ONE = Value(integer_value=1)


@pytest.fixture
def writes() -> Writes:
    return Writes(DATABASE)


def committed(writes: Writes, *expected: Write) -> bool:
    return bool(writes.request == CommitRequest(database=DATABASE, writes=expected))


def test_writes_are_collected_in_order(writes: Writes) -> None:
    assert len(writes) == 0
    assert committed(writes)
    writes.replace_unchanged_document(NAME, {"a": 1}, READ_AT)
    writes.replace_unchanged_document(NAME, {}, READ_AT)
    assert len(writes) == 2
    as_read = Precondition(update_time=READ_AT)
    assert committed(
        writes,
        Write(update=Document(name=NAME, fields={"a": ONE}), current_document=as_read),
        Write(update=Document(name=NAME, fields={}), current_document=as_read),
    )
    assert not writes.has_deletion


def test_a_document_is_replaced_only_as_it_was_read(writes: Writes) -> None:
    writes.replace_unchanged_document(NAME, {"a": 1}, READ_AT)
    document = Document(name=NAME, fields={"a": ONE})
    assert committed(writes, Write(update=document, current_document=Precondition(update_time=READ_AT)))


def test_a_document_that_did_not_exist_is_only_created(writes: Writes) -> None:
    writes.replace_unchanged_document(NAME, {"a": 1}, None)
    document = Document(name=NAME, fields={"a": ONE})
    assert committed(writes, Write(update=document, current_document=Precondition(exists=False)))


def test_a_merge_names_every_value_and_quotes_special_field_names(writes: Writes) -> None:
    fields = {"a": 1, "m": {"x": {"y": 1}, "empty": {}}, "b.c": 1, "`": 1}
    writes.merge_unchanged_document(NAME, fields, READ_AT)
    [write] = writes.request.writes
    assert list(write.update_mask.field_paths) == ["a", "m.x.y", "m.empty", "`b.c`", "`\\``"]
    inner = MapValue(fields={"y": ONE})
    middle = MapValue(fields={"x": Value(map_value=inner), "empty": Value(map_value=MapValue())})
    assert write.update == Document(name=NAME, fields={"a": ONE, "m": Value(map_value=middle), "b.c": ONE, "`": ONE})
    assert write.current_document == Precondition(update_time=READ_AT)


def test_an_update_names_its_fields_and_needs_the_document(writes: Writes) -> None:
    writes.update_unchanged_document(NAME, {"status": "stale"}, READ_AT)
    assert committed(
        writes,
        Write(
            update=Document(name=NAME, fields={"status": Value(string_value="stale")}),
            update_mask={"field_paths": ["status"]},
            current_document=Precondition(update_time=READ_AT),
        ),
    )


def test_a_document_is_deleted_only_as_it_was_read(writes: Writes) -> None:
    writes.delete_unchanged_document(NAME, READ_AT)
    assert committed(writes, Write(delete=NAME, current_document=Precondition(update_time=READ_AT)))
    assert writes.has_deletion


def test_a_value_without_a_firestore_type_is_rejected(writes: Writes) -> None:
    with pytest.raises(TypeError):
        writes.replace_unchanged_document(NAME, {"at": datetime(2026, 3, 2, tzinfo=UTC), "a": object()}, READ_AT)


def test_deletions_are_not_counted_as_written_documents(writes: Writes) -> None:
    writes.replace_document(NAME, {"a": 1})
    writes.merge_unchanged_document(NAME, {"a": 1}, None)
    writes.delete_unchanged_document(NAME, READ_AT)
    assert (writes.document_count, len(writes)) == (2, 3)
