"""The watch of the pause objects of one kind: IngestPauses of the job's namespace, or ClusterIngestPauses.

Of all objects of a kind, the pod keeps those that can concern its job, and the number and the newest version of all.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp
import msgspec

from sluice_contract.identity import API_VERSION
from sluice_contract.resource import resource_version_number

from ..domain.backoff import Backoff
from ..domain.pause import has_ended
from ..domain.pause_objects import MAX_PAUSES, PauseObject, PausesOfKind
from ..switch_ports import PauseListener
from .api_session import ApiSession
from .decoding import decode_kubernetes_json
from .error_text import system_error_text
from .object_watch import LIVE_READ, REQUEST, Event
from .pinged_watch import PingedWatch

_log = logging.getLogger(__name__)

# A page of whole objects, and one of their metadata. An object can have 1.5 MB, for example of annotations.
_PAGE: Final = "20"
_METADATA_PAGE: Final = "500"
_METADATA_ONLY: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
# How soon a kind is looked for again that is not served, or may not be read, or has too many objects.
_MIN_RETRY_SECONDS, _MAX_RETRY_SECONDS = 2.0, 60.0
_NOT_SERVED, _FORBIDDEN = 404, 403
# How often a kind must be refused before its first read counts as answered. An API server that has just started refuses
# permitted requests for a moment, until it has read all roles.
_REFUSALS_AT_START: Final = 3
_START_RETRY_SECONDS: Final = 0.5


class _TooManyPausesError(Exception):
    """More pauses than the pod keeps can concern the job."""


ReadPause = Callable[[str, object], PauseObject | None]  # from a name and a spec; None if it does not concern the job


class _Metadata(msgspec.Struct, rename="camel"):
    name: str
    resource_version: str = ""


class _Document(msgspec.Struct):
    metadata: _Metadata
    spec: Any = None


class _ListMetadata(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(name="continue", default="")


class _Page(msgspec.Struct):
    metadata: _ListMetadata
    items: list[_Document] | None = None  # null in an empty list of metadata


class _KnownObjects:
    """What is known of the objects of a kind: those that can concern the job, and the number and version of all."""

    def __init__(self, read_pause: ReadPause) -> None:
        self.count = 0
        self.newest = 0  # the newest resourceVersion of an object that was added or changed
        self.has_too_many = False
        self._read_pause = read_pause
        self._pauses: dict[str, PauseObject] = {}

    def add(self, document: _Document) -> None:
        """Add a new object."""
        self.count += 1
        self.replace(document)

    def replace(self, document: _Document) -> None:
        """Replace an object by its new version. If there are too many, forget those that have ended."""
        name = document.metadata.name
        self.newest = max(self.newest, resource_version_number(document.metadata.resource_version))
        pause = self._read_pause(name, document.spec)
        self._pauses.pop(name, None)
        if pause is None:
            return
        self._pauses[name] = pause
        if len(self._pauses) > MAX_PAUSES:
            now = datetime.now(UTC)
            self._pauses = {key: each for key, each in self._pauses.items() if not has_ended(each.until, now)}
            self.has_too_many = len(self._pauses) > MAX_PAUSES

    def remove(self, document: _Document) -> None:
        """Remove an object."""
        self.count -= 1
        self._pauses.pop(document.metadata.name, None)

    def to_pauses(self) -> PausesOfKind:
        """Return the objects that can concern the job."""
        return PausesOfKind(pauses=tuple(self._pauses.values()), has_too_many=self.has_too_many)


class PauseWatch:
    """Keeps a listener informed about the pause objects of one kind that can concern the job.

    `read_pause` returns an object from its name and its spec. Until the API server has answered, the listener hears
    nothing.
    """

    def __init__(
        self,
        session: ApiSession,
        path: str,
        read_pause: ReadPause,
        listener: PauseListener,
        backoff: Backoff,
    ) -> None:
        """`path` is that of the collection below the group, such as `namespaces/acme/ingestpauses`."""
        self._session = session
        self._collection = f"{session.url}/apis/{API_VERSION}/{path}"
        self._resource = path.rsplit("/", 1)[-1]
        self._read_pause = read_pause
        self._listener = listener
        self._backoff = backoff
        self._known = _KnownObjects(self._read_pause)
        self._retry_seconds = _MIN_RETRY_SECONDS
        self._problem = ""  # why the pod may not read or watch the objects; "" if it may
        self._is_accepted = False
        self._has_answered = False
        self._refusals_at_start = 0
        self._watch = PingedWatch(session, self._collection, self._apply_event, self._has_delivered_all)

    async def run(self) -> None:
        """Read and watch the objects until cancelled."""
        while True:
            try:
                wait = await self._read_and_watch()
            except aiohttp.ClientResponseError as error:
                wait = self._record_refusal(error)
            except _TooManyPausesError:
                wait = _MAX_RETRY_SECONDS
            except Exception as error:  # also invalid answers: the watch must never stop
                wait = self._backoff.next_delay(at_least=0.2)
                _log.warning(
                    "the watch of %s failed (%s); reading them again in %.1f s",
                    *(self._resource, system_error_text(error), wait),
                )
                await self._session.close()  # the other connections may be broken for the same reason
            await asyncio.sleep(wait)

    async def _read_and_watch(self) -> float:
        """Read all objects, then follow their changes until the server ends the watch. Return how long to wait then."""
        self._known, version = await self._read_all()
        if self._known.has_too_many:
            self._problem = ""
        self._inform_listener()
        self._has_answered = True
        if self._known.has_too_many:
            raise _TooManyPausesError
        self._backoff.reset()
        self._is_accepted = False
        try:
            await self._watch.deliver_events(version, self._record_acceptance)
        except aiohttp.ClientResponseError as error:
            if error.status != _FORBIDDEN:
                raise
            if not self._is_accepted:
                self._record_problem("watch", "so it obeys new ones only when it reads them, once a minute")
                return self._next_retry_seconds()
        return self._backoff.next_delay(at_least=0.2)

    def _record_acceptance(self) -> None:
        """Record that the API server has accepted the watch, so the pod has all rights that it needs."""
        self._retry_seconds, self._is_accepted = _MIN_RETRY_SECONDS, True
        if self._problem:
            self._problem = ""
            self._inform_listener()

    def _inform_listener(self) -> None:
        pauses = self._known.to_pauses()
        self._listener.set_pauses(self._resource, msgspec.structs.replace(pauses, problem=self._problem))

    async def _read_all(self) -> tuple[_KnownObjects, str]:
        """Return the objects, and the resourceVersion of their list. Reading stops when there are too many."""
        found, query = _KnownObjects(self._read_pause), {"limit": _PAGE}
        while True:
            async with self._session.get(self._collection, query, REQUEST) as response:
                response.raise_for_status()
                page = decode_kubernetes_json(await response.read(), _Page)
            for document in page.items or ():
                found.add(document)
            if not page.metadata.continue_ or found.has_too_many:
                return found, page.metadata.resource_version
            query = {"limit": _PAGE, "continue": page.metadata.continue_}

    def _apply_event(self, event: Event) -> None:
        """Apply an event of the watch, and inform the listener if it concerns the job."""
        kind = event["type"]
        if kind not in ("ADDED", "MODIFIED", "DELETED"):
            return
        document, before = msgspec.convert(event["object"], _Document), self._known.to_pauses()
        apply = {"ADDED": self._known.add, "MODIFIED": self._known.replace, "DELETED": self._known.remove}[kind]
        apply(document)
        if (after := self._known.to_pauses()) != before:
            self._listener.set_pauses(self._resource, after)
        if after.has_too_many:
            raise _TooManyPausesError

    async def _has_delivered_all(self) -> bool:
        """Return whether the watch has delivered every addition, change and deletion, by a read of all metadata."""
        count, newest, query = 0, 0, {"limit": _METADATA_PAGE}
        while True:
            async with self._session.get(self._collection, query, LIVE_READ, _METADATA_ONLY) as response:
                response.raise_for_status()
                page = decode_kubernetes_json(await response.read(), _Page)
            items = page.items or ()
            count += len(items)
            newest = max(newest, *(resource_version_number(each.metadata.resource_version) for each in items), 0)
            if not page.metadata.continue_:
                return count == self._known.count and newest <= self._known.newest
            query = {"limit": _METADATA_PAGE, "continue": page.metadata.continue_}

    def _record_refusal(self, error: aiohttp.ClientResponseError) -> float:
        """Inform the listener that the API server refuses to list the kind. Return how long to wait."""
        if error.status == _NOT_SERVED:
            self._problem = ""
            self._known = _KnownObjects(self._read_pause)
            self._listener.set_pauses(self._resource, PausesOfKind())
            return self._next_retry_seconds()
        if error.status == _FORBIDDEN:
            self._refusals_at_start += 1
            if not self._has_answered and self._refusals_at_start < _REFUSALS_AT_START:
                return _START_RETRY_SECONDS
            self._record_problem("read", "so it does not obey new ones")
            return self._next_retry_seconds()
        wait = self._backoff.next_delay(at_least=0.2)
        _log.warning(
            "the API server does not list %s (HTTP %d); trying again in %.1f s", self._resource, error.status, wait
        )
        return wait

    def _record_problem(self, verb: str, consequence: str) -> None:
        self._problem = (
            f"The pod may not {verb} {self._resource}, {consequence}. Grant its ServiceAccount the "
            "rights get, list and watch on them, as the roles of this version do."
        )
        self._listener.record_unreadable_pauses(self._resource, self._problem)

    def _next_retry_seconds(self) -> float:
        seconds = self._retry_seconds
        self._retry_seconds = min(2 * seconds, _MAX_RETRY_SECONDS)
        return seconds
