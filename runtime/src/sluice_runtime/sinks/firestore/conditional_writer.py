"""Writes that take effect only while each document is as this process last saw it.

A write whose call was abandoned can still arrive later, for example from a proxy. Firestore applies unconditional
writes in the order of their arrival, so such a write would replace a newer one. A write with the update time of the
stored document as its precondition cannot: the newer write has changed the update time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from google.api_core import exceptions

from ...domain.failure import SinkError
from .connection import DEADLINE_SECONDS, FirestoreConnection, StoredDocument
from .writes import Writes

# Another writer, or an abandoned write of this process, has changed a document since it was read.
CHANGED_SINCE_READ = (exceptions.AlreadyExists, exceptions.FailedPrecondition, exceptions.NotFound)
_ATTEMPTS = 3  # each after a new read


class DocumentChange(NamedTuple):
    """One change of one document.

    `replace` and `merge` create a missing document; `update` and `delete` skip it. `merge` keeps other fields, also
    inside maps; `update` keeps other top-level fields. With `owners`, a stored document whose field `job` has another
    value is skipped too.
    """

    kind: Literal["replace", "merge", "update", "delete"]
    fields: Mapping[str, Any] = {}
    owners: tuple[str | None, ...] | None = None


class _StoredVersion(NamedTuple):
    """The update time (a Timestamp message) and the field `job` of a stored document."""

    update_time: Any
    job: Any


class ConditionalWriter:
    """Commits changes of documents, each on the condition that its document has not changed since it was last seen.

    It remembers the update time of each document, which every write returns, so documents are only read before their
    first write, after a conflict and after a write without an answer. Documents are named by their full resource name.
    """

    def __init__(self, connection: FirestoreConnection) -> None:
        self._connection = connection
        self._versions: dict[str, _StoredVersion | None] = {}  # None: the document does not exist

    def record_read(self, names: Iterable[str], found: Iterable[StoredDocument]) -> None:
        """Remember the versions of the documents `names`, of which only `found` exist. They were read with `job`."""
        self._versions.update(dict.fromkeys(names))
        for each in found:
            self._versions[each.name] = _StoredVersion(each.update_time, each.fields.get("job"))

    def forget(self, names: Iterable[str]) -> None:
        """Read these documents again before their next write."""
        for name in names:
            self._versions.pop(name, None)

    async def commit(self, changes: Mapping[str, DocumentChange]) -> frozenset[str]:
        """Commit all changes or none, by document name. Return the names of the missing documents that were skipped.

        Raises:
            GoogleAPICallError: AlreadyExists, FailedPrecondition or NotFound: another writer keeps changing a document.
        """
        now = asyncio.get_running_loop().time
        deadline = now() + DEADLINE_SECONDS
        for attempt in range(1, _ATTEMPTS + 1):
            await self._read_unknown_versions(changes, deadline - now())
            writes = {name: change for name, change in changes.items() if not self._is_skipped(name, change)}
            try:
                update_times = await self._connection.commit(self._collect(writes), max(0.1, deadline - now()))
            except CHANGED_SINCE_READ:
                self.forget(changes)
                if attempt == _ATTEMPTS:
                    raise
                continue
            except (SinkError, exceptions.ClientError):
                raise  # the server has not written anything
            except BaseException:
                # The write may still take effect. Without a new read, all later writes could be for an old version.
                self.forget(changes)
                raise
            self._record_written(writes, update_times)
            break
        return frozenset(name for name in changes.keys() - writes.keys() if self._versions.get(name) is None)

    async def _read_unknown_versions(self, names: Iterable[str], seconds: float) -> None:
        unknown = [name for name in names if name not in self._versions]
        self.record_read(unknown, await self._connection.read_documents(unknown, ("job",), max(0.1, seconds)))

    def _is_skipped(self, name: str, change: DocumentChange) -> bool:
        version = self._versions[name]
        if version is None:
            return change.kind in ("update", "delete")
        return change.owners is not None and version.job not in change.owners

    def _collect(self, changes: Mapping[str, DocumentChange]) -> Writes:
        writes = Writes(self._connection.database)
        for name, change in changes.items():
            version = self._versions[name]
            update_time = version.update_time if version else None
            match change.kind:
                case "replace":
                    writes.replace_unchanged_document(name, change.fields, update_time)
                case "merge":
                    writes.merge_unchanged_document(name, change.fields, update_time)
                case "update":
                    writes.update_unchanged_document(name, change.fields, update_time)
                case "delete":
                    writes.delete_unchanged_document(name, update_time)
        return writes

    def _record_written(self, changes: Mapping[str, DocumentChange], update_times: Sequence[Any]) -> None:
        for (name, change), update_time in zip(changes.items(), update_times, strict=True):
            if change.kind == "delete":
                del self._versions[name]
                continue
            before = self._versions[name]
            self._versions[name] = _StoredVersion(update_time, change.fields.get("job", before.job if before else None))
