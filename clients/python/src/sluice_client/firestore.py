"""Reads the documents from Firestore. Needs google-cloud-firestore, the extra `firestore` of this distribution.

One listener reads the heartbeat. Each further listener reads up to 100 quotes, named by their documents
(`DocumentsTarget` of Firestore's API). Measured with 1,000 symbols on the emulator (`make bench BENCH=readers`
measures this module), the other ways to listen are worse:

* Queries by document ID take 30 IDs each. The emulator evaluates every query at each write: an update takes 8 s.
* A listener on the collection takes 0.3 s, and 1 s with 2,000 symbols. It is billed for symbols that the reader did not
  ask for, and Google's client sorts and copies all documents of a listener at each change.
* A listener for each document is a thread and a stream for each symbol, and a connection has 100 streams.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sluice_client.mailbox import Mailbox
from sluice_client.sources import Deliver, Event, HeartbeatRead, QuoteRead, ReaderChanged, Subscription, document_id

try:
    from google.api_core import exceptions
    from google.auth.exceptions import GoogleAuthError
    from google.cloud.firestore import Client, DocumentSnapshot
    from google.cloud.firestore_v1.watch import WATCH_TARGET_ID, Watch
except ImportError as error:  # pragma: no cover
    raise ImportError("google-cloud-firestore is missing: pip install google-cloud-firestore") from error

MAX_SYMBOLS = 2000
# With the heartbeat's, 2,000 symbols need 21 of a connection's 100 streams. Larger groups take longer for each change.
_DOCUMENTS_PER_LISTENER = 100
_CALL_SECONDS = 10.0
_FIRST_ANSWER_SECONDS = 5.0
_CHECK_SECONDS = 0.5
_RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)

_CONNECTED = ReaderChanged(is_signed_in=True, is_connected=True)
_DISCONNECTED = ReaderChanged(is_signed_in=True, is_connected=False)
_DENIED = ReaderChanged(is_signed_in=False, is_connected=True)

_log = logging.getLogger("sluice_client")


class FirestoreSource:
    """The documents of one job: `tenants/TENANT/ops/HEARTBEAT` and `tenants/TENANT/COLLECTION/SYMBOL`.

    The client's identity is a service account with `roles/datastore.viewer`; the rules for browsers do not apply to it.
    """

    def __init__(
        self, client: Client, tenant: str, *, collection: str = "live_quotes", heartbeat: str = "market_ingest"
    ) -> None:
        self._client = client
        self._heartbeat = client.document(f"tenants/{tenant}/ops/{heartbeat}")
        self._quotes = client.collection(f"tenants/{tenant}/{collection}")

    def subscribe(self, symbols: Collection[str], deliver: Deliver) -> Subscription:
        if len(symbols) > MAX_SYMBOLS:
            raise ValueError(f"{len(symbols)} symbols are more than a job has: name at most {MAX_SYMBOLS}")
        names = tuple(symbols)
        groups = [
            names[first : first + _DOCUMENTS_PER_LISTENER] for first in range(0, len(names), _DOCUMENTS_PER_LISTENER)
        ]
        return _FirestoreSubscription(self._heartbeat, self._quotes, groups, deliver)


class _FirestoreSubscription:
    """Keeps the listeners open. Google's client ends a listener without a word, so they are checked."""

    def __init__(self, heartbeat: Any, quotes: Any, groups: Sequence[tuple[str, ...]], deliver: Deliver) -> None:
        self._heartbeat = heartbeat
        self._quotes = quotes
        self._groups = groups
        self._mailbox = Mailbox(deliver)
        self._listeners: _Listeners | None = None
        self._task = asyncio.create_task(self._listen_forever())

    async def close(self) -> None:
        self._mailbox.close()
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        await self._close_listeners()

    async def _listen_forever(self) -> None:
        failures = 0
        while True:
            problem = _DISCONNECTED
            try:
                problem, has_worked = await self._listen_until_problem()
                failures = 0 if has_worked else failures
            except Exception:
                _log.exception("listening to Firestore failed")
            self._mailbox.put(problem)
            await asyncio.sleep(_RETRY_SECONDS[min(failures, len(_RETRY_SECONDS) - 1)])
            failures += 1

    async def _listen_until_problem(self) -> tuple[ReaderChanged, bool]:
        """Listen until a listener ends. Return the problem, and whether all listeners had delivered something."""
        problem = await self._find_problem()
        if problem is not None:
            return problem, False
        self._listeners = _Listeners(self._mailbox, 1 + len(self._groups))
        await asyncio.to_thread(self._open, self._listeners)
        has_worked = await self._listeners.wait_until_ended()
        await self._close_listeners()
        return _DISCONNECTED, has_worked

    async def _find_problem(self) -> ReaderChanged | None:
        """Read the heartbeat once, because a listener that is refused does not say so."""
        try:
            await asyncio.to_thread(self._heartbeat.get, timeout=_CALL_SECONDS, retry=None)
        except (exceptions.PermissionDenied, exceptions.Unauthenticated, GoogleAuthError) as error:
            _log.warning("Firestore refuses this reader: %s", error)
            return _DENIED
        except exceptions.GoogleAPIError as error:
            _log.warning("Firestore cannot be read: %s", error)
            return _DISCONNECTED
        return None

    def _open(self, listeners: _Listeners) -> None:
        listeners.open([self._heartbeat], lambda documents, _: [HeartbeatRead(_fields(documents))])
        for group in self._groups:
            listeners.open([self._quotes.document(document_id(symbol)) for symbol in group], _QuoteReader(group))

    async def _close_listeners(self) -> None:
        if self._listeners is not None:
            await asyncio.to_thread(self._listeners.close)
            self._listeners = None


Convert = Callable[[Sequence[Any], Sequence[Any]], list[Event]]


class _Listeners:
    """Listeners that are opened and closed together, in any thread."""

    def __init__(self, mailbox: Mailbox, expected: int) -> None:
        self._mailbox = mailbox
        self._expected = expected
        self._watches: list[Any] = []
        self._answered: set[int] = set()
        self._lock = threading.Lock()
        self._is_closed = False

    def open(self, references: Sequence[Any], convert: Convert) -> None:
        """Listen to documents. `convert` gets those that exist and the changes, and returns events."""
        number = len(self._watches)

        def on_snapshot(documents: Sequence[Any], changes: Sequence[Any], _: object) -> None:
            if not self._is_closed:
                self._mailbox.put(*convert(documents, changes))
                self._answered.add(number)

        with self._lock:
            if not self._is_closed:
                self._watches.append(_listen(references, on_snapshot))

    async def wait_until_ended(self) -> bool:
        """Report the connection until a listener ends. Return whether all of them have delivered something."""
        late_at = asyncio.get_running_loop().time() + _FIRST_ANSWER_SECONDS
        reported: ReaderChanged | None = None
        while all(watch.is_active for watch in self._watches):
            is_late = asyncio.get_running_loop().time() > late_at
            found = _CONNECTED if self._is_complete() else _DISCONNECTED if is_late else None
            if found is not None and found != reported:
                self._mailbox.put(found)
                reported = found
            await asyncio.sleep(_CHECK_SECONDS)
        _log.warning("a listener to Firestore has ended; listening again")
        return self._is_complete()

    def close(self) -> None:
        """End all listeners. Waits for their threads."""
        with self._lock:
            self._is_closed = True
        for watch in self._watches:
            watch.unsubscribe()

    def _is_complete(self) -> bool:
        return len(self._answered) == self._expected


def _listen(references: Sequence[Any], on_snapshot: Callable[[Sequence[Any], Sequence[Any], object], None]) -> Any:
    """Open one listener to some documents. `on_snapshot` gets those that exist, in any order, and the changes.

    Google's client offers `on_snapshot` for one document or a query; its `Watch` takes every target that the API knows.
    """
    names = [each._document_path for each in references]  # no public property has the full name
    target = {"documents": {"documents": names}, "target_id": WATCH_TARGET_ID}
    first = references[0]
    return Watch(first, first._client, target, _compare_as_equal, on_snapshot, DocumentSnapshot)


def _compare_as_equal(_first: object, _second: object) -> int:
    """Spare the order of documents. Nothing needs it, and Google's client sorts all of them at each change."""
    return 0


@dataclass
class _QuoteReader:
    """Converts the snapshots of one listener to quotes. The first one also says which documents do not exist."""

    symbols: tuple[str, ...]
    is_first: bool = True

    def __call__(self, documents: Sequence[Any], changes: Sequence[Any]) -> list[Event]:
        if self.is_first:
            self.is_first = False
            found = {document.id: document.to_dict() for document in documents}
            return [QuoteRead(symbol, found.get(document_id(symbol))) for symbol in self.symbols]
        changed = {
            change.document.id: None if change.type.name == "REMOVED" else change.document.to_dict()
            for change in changes
        }
        return [QuoteRead(each, changed[document_id(each)]) for each in self.symbols if document_id(each) in changed]


def _fields(documents: Sequence[Any]) -> object:
    return documents[0].to_dict() if documents else None
