"""The decision to open a new channel. The effect on calls is tested with the emulator."""

import asyncio
import contextlib

import pytest
from google.api_core.exceptions import (
    DeadlineExceeded,
    FailedPrecondition,
    PermissionDenied,
    ResourceExhausted,
    ServiceUnavailable,
)
from google.auth.exceptions import MutualTLSChannelError
from google.cloud.firestore_v1.types import CommitResponse, WriteResult
from google.protobuf.timestamp_pb2 import Timestamp

from sluice_contract.spec import FirestoreSettings
from sluice_runtime.domain.measurements import Measurements
from sluice_runtime.sinks.firestore.connection import DeadlineErrors, open_firestore_connection
from sluice_runtime.sinks.firestore.writes import Writes
from support.runtime_fakes import runtime_state


@pytest.fixture
def errors() -> DeadlineErrors:
    return DeadlineErrors()


def test_a_new_channel_is_due_after_three_errors_in_a_row(errors: DeadlineErrors) -> None:
    found = []
    for _ in range(4):
        found.append(errors.is_new_channel_due(100.0))
        errors.record_deadline_error()
    assert found == [False, False, False, True]


def test_any_answer_restarts_the_count(errors: DeadlineErrors) -> None:
    for _ in range(5):
        errors.record_deadline_error()
        errors.record_deadline_error()
        errors.record_answer()
    errors.record_deadline_error()
    assert not errors.is_new_channel_due(100.0)


def test_a_new_channel_has_its_own_count_and_five_seconds(errors: DeadlineErrors) -> None:
    for _ in range(20):
        errors.record_deadline_error()
    errors.record_new_channel(100.0)
    assert not errors.is_new_channel_due(200.0)
    for _ in range(3):
        errors.record_deadline_error()
    assert [errors.is_new_channel_due(at) for at in (100.0, 104.9, 105.0)] == [False, False, True]


async def test_a_channel_that_cannot_be_created_is_reported_with_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise MutualTLSChannelError("GOOGLE_API_USE_MTLS_ENDPOINT is wrong")

    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:9")
    monkeypatch.setattr("sluice_runtime.sinks.firestore.connection.open_channel", refuse)
    with pytest.raises(
        ValueError, match=r"^no connection to Firestore can be opened .* \(GOOGLE_API_USE.* is wrong\)$"
    ):
        await open_firestore_connection(FirestoreSettings(), "demo", None)


@pytest.mark.parametrize(
    ("project", "message"),
    [
        ("", "documents are in project demo-sluice, database (default) of the Firestore emulator at 127.0.0.1:9"),
        ("acme-1", "documents are in project acme-1, database (default) of the Firestore emulator at 127.0.0.1:9"),
    ],
)
async def test_the_place_of_the_documents_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, project: str, message: str
) -> None:
    for name in ("GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:9")
    caplog.set_level("INFO")
    connection = await open_firestore_connection(FirestoreSettings(), project, None)
    await connection.close()
    assert caplog.messages == [message]


class FakeMethods:
    """Methods whose commits fail with `error`, or succeed."""

    def __init__(self, error: BaseException | None) -> None:
        self._error = error

    async def commit(self, *_: object) -> CommitResponse:
        if self._error is not None:
            raise self._error
        return CommitResponse(write_results=[WriteResult()])


@pytest.mark.parametrize(
    ("error", "counted"),
    [
        (None, 1),
        (DeadlineExceeded("late"), 1),
        (ServiceUnavailable("gone"), 1),
        (asyncio.CancelledError(), 1),
        (FailedPrecondition("changed"), 0),
        (PermissionDenied("no"), 0),
        (ResourceExhausted("Quota exceeded."), 0),
    ],
    ids=repr,
)
async def test_a_document_is_counted_unless_firestore_has_certainly_not_written_it(
    monkeypatch: pytest.MonkeyPatch, error: BaseException | None, counted: int
) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:9")
    monkeypatch.setattr(
        "sluice_runtime.sinks.firestore.connection.FirestoreMethods", lambda channel: FakeMethods(error)
    )
    budget = runtime_state().write_budget
    connection = await open_firestore_connection(FirestoreSettings(), "demo", None, budget)
    writes = Writes(connection.database)
    writes.replace_document(f"{connection.database}/documents/ops/a", {"a": 1})
    writes.delete_unchanged_document(f"{connection.database}/documents/ops/b", Timestamp())
    with contextlib.nullcontext() if error is None else pytest.raises((Exception, asyncio.CancelledError)):
        await connection.commit(writes)
    assert budget.account().used == counted
    await connection.close()


@pytest.mark.parametrize(
    ("error", "measured"),
    [(None, 1), (DeadlineExceeded("late"), 1), (PermissionDenied("no"), 1), (asyncio.CancelledError(), 0)],
    ids=repr,
)
async def test_a_request_is_measured_until_it_is_answered_or_fails(
    monkeypatch: pytest.MonkeyPatch, error: BaseException | None, measured: int
) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:9")
    monkeypatch.setattr(
        "sluice_runtime.sinks.firestore.connection.FirestoreMethods", lambda channel: FakeMethods(error)
    )
    measurements = Measurements()
    connection = await open_firestore_connection(FirestoreSettings(), "demo", None, None, measurements.record_request)
    writes = Writes(connection.database)
    writes.replace_document(f"{connection.database}/documents/ops/a", {"a": 1})
    with contextlib.nullcontext() if error is None else pytest.raises((Exception, asyncio.CancelledError)):
        await connection.commit(writes)
    counts = {kind: each.value_count for kind, each in measurements.store_requests.items()}
    assert counts == {"reads": 0, "writes": measured, "deletes": 0}
    await connection.close()
