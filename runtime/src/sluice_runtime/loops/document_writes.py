"""Writes documents side by side, so that a document that cannot be written delays no other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, NamedTuple

from ..aio.waiting import cancel_and_wait
from ..domain.failure import SinkError
from ..domain.isolated_documents import IsolatedDocuments

# This few documents are written in requests of their own; more share a request, which costs less CPU.
SINGLE_WRITES_AT_MOST = 10
PACED_RETRY_SECONDS = 1.0  # after an error with `is_paced`: the sink itself limits how often it sends a request


class WriteRequest(NamedTuple):
    """One request to the sink.

    `send` writes the documents and records their content; it raises SinkError. `undo` is called after a failure or a
    cancellation. `kind` is the kind of write that a failure of the whole database is recorded for.
    """

    documents: Sequence[str]
    send: Callable[[], Coroutine[Any, Any, None]]
    undo: Callable[[], None]
    kind: str


class _Request(NamedTuple):
    task: asyncio.Task[None]
    kind: str


class DocumentWrites:
    """Runs requests to the sink, at most one for each document at a time.

    When a request for several documents fails because of one of them, each is written alone from then on. A document
    that cannot be written waits for its own next attempt. `report` is called with a sentence that names such documents,
    or with None when there are none. `is_database_failing` returns whether other requests, such as the heartbeat, fail.
    """

    def __init__(self, report: Callable[[str | None], None], is_database_failing: Callable[[], bool]) -> None:
        self._report = report
        self._is_database_failing = is_database_failing
        self._isolated = IsolatedDocuments()
        self._in_flight: dict[str, _Request] = {}
        self._unanswered: set[str] = set()  # documents whose last write was not answered, since the last success
        self._last_success_at = float("-inf")
        self._failures: dict[str, SinkError] = {}  # of the whole database, by kind of write
        self._failed_at = float("-inf")
        self._crash: Exception | None = None

    def has_requests_in_flight(self, *kinds: str) -> bool:
        """Return True if a request of one of these kinds has not been answered."""
        return any(each.kind in kinds for each in self._in_flight.values())

    @property
    def has_succeeded_since_failure(self) -> bool:
        """Return True if a request has succeeded since the last failure of the database."""
        return self._last_success_at > self._failed_at

    @property
    def failure_message(self) -> str | None:
        """A sentence that names the documents that cannot be written; None if there are none."""
        return self._isolated.failure_message

    def is_blocked(self, document: str) -> bool:
        """Return True if a document must not be written now: a write is in flight, or the next attempt is not due."""
        return document in self._in_flight or self._isolated.is_waiting(document, asyncio.get_running_loop().time())

    def group(self, documents: Iterable[str]) -> list[list[str]]:
        """Return the documents of each request to make: single documents, and one group of the others if many."""
        at = asyncio.get_running_loop().time()
        alone: list[list[str]] = []
        together: list[str] = []
        for document in documents:
            if self._isolated.is_isolated(document, at):
                alone.append([document])
            else:
                together.append(document)
        if len(together) > SINGLE_WRITES_AT_MOST:
            return [together, *alone]
        return [*([each] for each in together), *alone]

    def start(self, request: WriteRequest) -> None:
        """Start a request for documents that are not blocked."""
        task = asyncio.create_task(self._run(request))
        self._in_flight.update(dict.fromkeys(request.documents, _Request(task, request.kind)))

    async def wait(self, seconds: float | None = None) -> None:
        """Wait until all requests are answered, or for at most `seconds`. Cancelling this leaves the requests."""
        if self._in_flight:
            await asyncio.wait({each.task for each in self._in_flight.values()}, timeout=seconds)
        if self._crash is not None:
            raise self._crash

    def take_database_failure(self, kind: str) -> SinkError | None:
        """Return why requests of one kind failed that does not depend on their documents, and forget it."""
        return self._failures.pop(kind, None)

    def forget(self, documents: Iterable[str]) -> None:
        """Forget the failures of documents that are no longer written."""
        self._isolated.forget(documents)
        self._report(self._isolated.failure_message)

    async def cancel(self) -> None:
        """Cancel all requests, and wait until they have ended."""
        await cancel_and_wait(*{each.task for each in self._in_flight.values()})

    async def _run(self, request: WriteRequest) -> None:
        started_at = asyncio.get_running_loop().time()
        try:
            await request.send()
            self._record_success(request)
        except SinkError as error:
            request.undo()
            self._record_failure(request, error, started_at)
        except Exception as error:
            request.undo()
            self._crash = error  # raised by the next wait()
        except BaseException:  # cancelled
            request.undo()
            raise
        finally:
            for document in request.documents:
                self._in_flight.pop(document, None)
        self._report(self._isolated.failure_message)

    def _record_success(self, request: WriteRequest) -> None:
        self._last_success_at = asyncio.get_running_loop().time()
        self._unanswered.clear()
        for document in request.documents:
            self._isolated.record_success(document, self._last_success_at)

    def _record_failure(self, request: WriteRequest, error: SinkError, started_at: float) -> None:
        at = asyncio.get_running_loop().time()
        if error.scope == "unknown":
            self._unanswered.update(request.documents)
        if error.scope == "database" or (error.scope == "unknown" and not self._is_document_at_fault(started_at)):
            if started_at >= self._failed_at:  # requests from before the last failure say nothing new
                self._failures[request.kind] = error
                self._failed_at = at
        elif len(request.documents) == 1:
            [document] = request.documents
            self._isolated.record_failure(document, error.document or document, error.message, at, error.retry_after)
        if error.scope != "database" and len(request.documents) > 1:
            self._isolated.isolate(request.documents)

    def _is_document_at_fault(self, started_at: float) -> bool:
        """Return True if an unanswered request probably waits for its documents: others have been answered since."""
        if self._last_success_at > started_at:
            return True
        return len(self._unanswered) == 1 and not self._is_database_failing()
