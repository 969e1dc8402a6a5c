"""The Firestore methods that Sluice calls, over a channel that is replaced when Firestore stops answering."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import grpc
from google.api_core.exceptions import ClientError, DeadlineExceeded, GoogleAPICallError
from google.cloud.firestore_v1.types import (
    BatchGetDocumentsRequest,
    BatchGetDocumentsResponse,
    CommitResponse,
    DocumentMask,
    RunQueryRequest,
    RunQueryResponse,
    StructuredQuery,
)

from sluice_contract.spec import FirestoreSettings

from ...domain.failure import SinkError, SinkFailureScope, UnusableVariableError
from ...ports import WriteMeter
from .channel import open_channel
from .credentials import FirestoreAccess, find_firestore_access, first_line_of_error
from .methods import FirestoreMethods
from .refusals import refusal_message, requested_delay_seconds
from .request_gate import RecordRequest, RequestGate, RequestKind, ignore_request
from .values import decode_fields
from .writes import Writes

_log = logging.getLogger(__name__)

# The limit for one call. It is shorter than the 3 s that a pause waits for writes in flight.
DEADLINE_SECONDS = 2.5
# A connection that loses its packets is never closed: each call on it ends by its deadline.
_ERRORS_UNTIL_NEW_CHANNEL = 3
_LEAST_SECONDS_BETWEEN_CHANNELS = 5.0

# While only reads are refused, documents whose version is known are written without a read.
_SCOPES: dict[RequestKind, SinkFailureScope] = {"reads": "documents", "writes": "database", "deletes": "database"}


class StoredDocument(NamedTuple):
    """A document read from Firestore. `name` is its full resource name, `update_time` a Timestamp message.

    `age_seconds` is the time from its last write until it was read, by Firestore's clock.
    """

    name: str
    fields: dict[str, Any]
    update_time: Any
    age_seconds: float


class DeadlineErrors:
    """Counts consecutive calls that got no answer before their deadline. Any other outcome counts as an answer."""

    def __init__(self) -> None:
        self._count = 0
        self._not_before = float("-inf")

    def record_answer(self) -> None:
        """Reset the count to zero, because a call has been answered."""
        self._count = 0

    def record_deadline_error(self) -> None:
        """Count a call that was not answered before its deadline."""
        self._count += 1

    def is_new_channel_due(self, at: float) -> bool:
        """Return True after enough deadline errors, if the current channel is old enough. `at` is a monotonic time."""
        return self._count >= _ERRORS_UNTIL_NEW_CHANNEL and at >= self._not_before

    def record_new_channel(self, at: float) -> None:
        """Reset the count to zero for a channel that was opened at `at`."""
        self._count = 0
        self._not_before = at + _LEAST_SECONDS_BETWEEN_CHANNELS


class FirestoreConnection:
    """One Firestore database. Use it only on the event loop on which it was created.

    Documents and collections are named by their full resource name, see `resource_name`. No method retries: a hidden
    retry would write stale values late. All raise the exceptions of google.api_core, google.auth and gRPC. While
    Firestore refuses all requests, they raise SinkError with `is_paced`, and most are withheld, see `RequestGate`.
    """

    def __init__(
        self,
        access: FirestoreAccess,
        database: str,
        meter: WriteMeter | None = None,
        record_request: RecordRequest = ignore_request,
    ) -> None:
        """`database` is the ID, such as (default). `meter` counts the written documents."""
        self.database = f"projects/{access.project}/databases/{database}"
        self._access = access
        self._metadata = [("google-cloud-resource-prefix", self.database)]
        if access.emulator:
            self._metadata.append(("authorization", "Bearer owner"))  # bypasses the rules, like a service account
        self._deadline_errors = DeadlineErrors()
        self._gate = RequestGate()
        self._meter = meter
        self._record_request = record_request
        self._used = _OpenChannel(open_channel(access))

    def resource_name(self, path: str) -> str:
        """Return the full name of a document or collection from its `path` in the database."""
        return f"{self.database}/documents/{path}"

    def raise_if_withheld(self, kind: RequestKind) -> None:
        """Raise SinkError if a request of this kind would be withheld now."""
        if refusal := self._gate.refusal_if_withheld(kind, asyncio.get_running_loop().time()):
            refused_kind, message = refusal
            raise SinkError(message, scope=_SCOPES[refused_kind], is_paced=True, is_withheld=True)

    def permit_next_attempt(self) -> None:
        """Send the next request even if Firestore has just refused one."""
        self._gate.permit_next_attempt()

    async def commit(self, writes: Writes, seconds: float = DEADLINE_SECONDS) -> list[Any]:
        """Commit all of `writes` or none, within `seconds`. Return the update time of each, a Timestamp message."""
        if not writes:
            return []
        async with self._methods_with_counted_outcome("deletes" if writes.has_deletion else "writes") as methods:
            with self._metered(writes):
                response = await methods.commit(writes.request, seconds, self._metadata)
        return [each.update_time for each in CommitResponse.pb(response).write_results]

    async def read_documents(
        self, names: Sequence[str], fields: Sequence[str], seconds: float = DEADLINE_SECONDS
    ) -> list[StoredDocument]:
        """Return the documents that exist, with only the given `fields`, within `seconds`."""
        if not names:
            return []
        request = BatchGetDocumentsRequest(
            database=self.database, documents=names, mask=DocumentMask(field_paths=fields)
        )
        async with self._methods_with_counted_outcome("reads") as methods:
            responses = await methods.batch_get_documents(request, seconds, self._metadata)
            found = [BatchGetDocumentsResponse.pb(each) async for each in responses]
        return [_stored_document(each.found, each.read_time) for each in found if each.HasField("found")]

    async def query_documents(self, parent: str, query: StructuredQuery) -> list[StoredDocument]:
        """Return the documents that `query` finds in the collections of the document `parent`."""
        request = RunQueryRequest(parent=parent, structured_query=query)
        async with self._methods_with_counted_outcome("reads") as methods:
            responses = await methods.run_query(request, DEADLINE_SECONDS, self._metadata)
            found = [RunQueryResponse.pb(each) async for each in responses]
        return [_stored_document(each.document, each.read_time) for each in found if each.HasField("document")]

    async def close(self) -> None:
        """Close the channel. Calls in flight are cancelled."""
        await self._used.channel.close()

    @contextmanager
    def _metered(self, writes: Writes) -> Iterator[None]:
        """Count the documents of a commit before it is sent, and take them back if Firestore has refused it.

        A commit without an answer may have been written, so it stays counted.
        """
        if self._meter is None:
            yield
            return
        count = writes.document_count
        day = self._meter.record_sent(count)
        try:
            yield
        except ClientError:
            self._meter.record_not_written(count, day)
            raise

    @asynccontextmanager
    async def _methods_with_counted_outcome(self, kind: RequestKind) -> AsyncIterator[FirestoreMethods]:
        """Yield the methods for one call, and count the outcome. The channel stays open until the call ends.

        Raises:
            SinkError: Firestore refuses all requests of this kind, or the request is withheld because it did so before.
        """
        self.raise_if_withheld(kind)
        sent_at = asyncio.get_running_loop().time()
        self._gate.start_attempt(kind, sent_at)
        used = self._used
        used.calls += 1
        try:
            yield used.methods
            self._gate.record_success(kind, sent_at)
            self._record_outcome(used, kind, sent_at, is_answer=True)
        except DeadlineExceeded:
            self._record_outcome(used, kind, sent_at, is_answer=False)
            raise
        except Exception as error:
            self._record_outcome(used, kind, sent_at, is_answer=True)
            self._raise_if_refusal(error, kind, sent_at)
            raise
        finally:
            used.calls -= 1
            if used is not self._used and used.calls == 0:
                await used.channel.close()

    def _raise_if_refusal(self, error: Exception, kind: RequestKind, sent_at: float) -> None:
        """Raise SinkError if `error` means that Firestore refuses all requests of this kind."""
        if not isinstance(error, GoogleAPICallError):
            return
        if message := refusal_message(error, kind, datetime.now(UTC)):
            at = asyncio.get_running_loop().time()
            self._gate.record_refusal(kind, message, sent_at, at, requested_delay_seconds(error))
            raise SinkError(message, scope=_SCOPES[kind], is_paced=True) from error

    def _record_outcome(self, used: _OpenChannel, kind: RequestKind, sent_at: float, *, is_answer: bool) -> None:
        """Record the outcome of a call on the channel `used`, and open a new channel if one is due."""
        at = asyncio.get_running_loop().time()
        self._record_request(kind, at - sent_at)
        if used is not self._used:
            return  # calls on an older channel do not count for the current one
        if is_answer:
            self._deadline_errors.record_answer()
            return
        self._deadline_errors.record_deadline_error()
        if self._deadline_errors.is_new_channel_due(at):
            self._replace_channel(at)

    def _replace_channel(self, at: float) -> None:
        """Open a new channel. The old channel closes when the last call in flight on it has ended."""
        _log.warning(
            "Firestore does not answer within %s s; opening a new connection",
            DEADLINE_SECONDS,
            extra={"event_type": "firestore_write"},
        )
        self._used = _OpenChannel(open_channel(self._access))
        self._deadline_errors.record_new_channel(at)


async def open_firestore_connection(
    settings: FirestoreSettings,
    project: str,
    key: Path | None,
    meter: WriteMeter | None = None,
    record_request: RecordRequest = ignore_request,
) -> FirestoreConnection:
    """Return a connection to the job's database, for the running event loop.

    `project` may be empty and `key` may be missing, see `find_firestore_access`. `meter` counts the written
    documents, and `record_request` gets the seconds of each request.

    Raises:
        ValueError: there are no usable credentials, or gRPC's or Google's own settings in the environment are wrong.
        UnusableVariableError: the environment names a proxy or an emulator that cannot be used.
    """
    access = await find_firestore_access(project, key)
    try:
        connection = FirestoreConnection(access, settings.database, meter, record_request)
    except UnusableVariableError:
        raise
    except Exception as error:
        words = first_line_of_error(error)
        raise ValueError(f"no connection to Firestore can be opened with these credentials ({words})") from error
    _log_place(access, settings.database)
    return connection


def _log_place(access: FirestoreAccess, database: str) -> None:
    """Log the project and the database, so that a user sees where the documents are."""
    server = f"the Firestore emulator at {access.emulator}" if access.emulator else "Firestore"
    _log.info(
        "documents are in project %s, database %s of %s",
        access.project,
        database,
        server,
        extra={"event_type": "firestore", "project": access.project, "database": database, "emulator": access.emulator},
    )


class _OpenChannel:
    """A channel, the methods over it, and the number of calls in flight."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self.methods = FirestoreMethods(channel)
        self.calls = 0


def _stored_document(message: Any, read_time: Any) -> StoredDocument:
    age = (read_time.ToNanoseconds() - message.update_time.ToNanoseconds()) / 1e9
    return StoredDocument(message.name, decode_fields(message.fields), message.update_time, max(0.0, age))
