"""The Firestore documents that each job writes, and the conflicts between jobs.

A document has one writer: of several jobs that claim it, the one that was created first. It makes no difference if that
job is paused, or itself conflicts with an even older job: it may resume at any moment.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final, Literal

import msgspec

from .objects import Job, Key

Collection = tuple[str, str, str, str]  # Google Cloud project, database, tenant, collection
Documents = dict[Collection, tuple[str, ...]]  # IDs, or the symbols that they stand for, in order
Kind = Literal["heartbeat", "quotes", "bars"]

_HEARTBEATS: Final = "ops"
_BARS: Final = "live_bars"
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class DocumentClaim(msgspec.Struct, frozen=True):
    """The documents that one job claims, and its place among all jobs: the lowest `since` has a document."""

    key: Key
    since: str  # the creation time, then the name: it orders jobs as text, which is much faster than as a tuple
    documents: Documents


class DocumentConflict(msgspec.Struct, frozen=True):
    """A conflict with an older job, `holder`, and the first document that both jobs would write.

    `name` is the ID of the heartbeat document, or the symbol of the quotes or bars.
    """

    holder: Key
    kind: Kind
    name: str


def document_claim(job: Job, project_id: str) -> DocumentClaim | None:
    """Return the claim to the documents that a job writes; None if its spec is not understood.

    `project_id` is the Google Cloud project of a job that names none. A dry run writes only its heartbeat.
    """
    spec = job.spec
    if spec is None:
        return None
    firestore = spec.firestore
    place = (firestore.project_id or project_id, firestore.database, spec.tenant)
    documents: Documents = {(*place, _HEARTBEATS): (spec.heartbeat.document,)}
    if not spec.dry_run:
        symbols = tuple(sorted(set(spec.symbols)))  # a frozenset of 20 symbols would take ten times the memory
        documents[(*place, firestore.live_quotes_collection)] = symbols
        if "bars" in spec.channels:
            documents[(*place, _BARS)] = symbols
    return DocumentClaim(job.key, creation_order(job), documents)


class DocumentClaims:
    """The claims of all jobs, indexed by document.

    A change costs time in proportion to the documents that it adds to the job's claim or removes from it. It affects at
    most one other job for each of them: the job that was first before, or is first afterwards.
    """

    def __init__(self) -> None:
        self._claims: dict[Key, DocumentClaim] = {}
        self._keys: dict[str, Key] = {}  # by `since`
        # For each document, the `since` of the job that claims it; of several jobs a list, the oldest first.
        self._lines: dict[Collection, dict[str, str | list[str]]] = {}
        self._changes = 0  # the number of changes so far
        self._last_changes: dict[Collection, int] = {}  # the number of the last change of each collection
        # The results of `find_conflict`, each with the number of changes when it was found.
        self._found: dict[Key, tuple[int, DocumentConflict | None]] = {}

    def replace_claim(self, key: Key, claim: DocumentClaim | None) -> set[Key]:
        """Replace the claim of a job; None removes it. Return the other jobs that became, or were, first on a document.

        The conflicts of further jobs may change too, but only in the job that their message names.
        """
        before = self._claims.pop(key, None)
        affected = self._update_lines(self._remove_from_line, before, claim)
        if before is not None:
            del self._keys[before.since]
        if claim is not None:
            self._claims[key] = claim
            self._keys[claim.since] = key
        self._found.pop(key, None)
        return affected | self._update_lines(self._insert_into_line, claim, before)

    def find_conflict(self, key: Key) -> DocumentConflict | None:
        """Return the job's conflict with the oldest of the jobs that claimed its documents before it, or None."""
        claim = self._claims.get(key)
        if claim is None:
            return None
        found_at, conflict = self._found.get(key, (-1, None))
        if any(self._last_changes[collection] > found_at for collection in claim.documents):
            conflict = self._compute_conflict(claim)
            self._found[key] = self._changes, conflict
        return conflict

    def _compute_conflict(self, claim: DocumentClaim) -> DocumentConflict | None:
        holder = min(self._first_of(*each) for each in _each_document(claim.documents))
        if holder == claim.since:
            return None
        collection, name = next(each for each in _each_document(claim.documents) if self._first_of(*each) == holder)
        return DocumentConflict(self._keys[holder], _kind(collection), name)

    def _update_lines(
        self, update: Callable[[Collection, str, str], str], claim: DocumentClaim | None, other: DocumentClaim | None
    ) -> set[Key]:
        """Update the lines of the documents that `claim` has and `other` has not. Return the jobs that this affects."""
        if claim is None:
            return set()
        affected: set[str] = set()
        is_same_job = other is not None and other.since == claim.since
        for collection, names in claim.documents.items():
            kept = other.documents.get(collection, ()) if other is not None and is_same_job else ()
            changed = names if not kept else sorted(set(names).difference(kept))
            affected.update(first for name in changed if (first := update(collection, name, claim.since)))
            if changed:
                self._record_change(collection)
        return {self._keys[since] for since in affected}

    def _record_change(self, collection: Collection) -> None:
        self._changes += 1
        if collection in self._lines:
            self._last_changes[collection] = self._changes
        else:
            self._last_changes.pop(collection, None)

    def _insert_into_line(self, collection: Collection, name: str, since: str) -> str:
        """Insert a job into the line of a document. Return the job that was first if it is not any more, else ""."""
        lines = self._lines.setdefault(collection, {})
        line = lines.setdefault(name, since)
        if line is since:
            return ""
        if isinstance(line, str):
            line = lines[name] = [line]
        insort(line, since)
        return line[1] if line[0] == since else ""

    def _remove_from_line(self, collection: Collection, name: str, since: str) -> str:
        """Remove a job from the line of a document. Return the job that is first now if it was not before, else ""."""
        lines = self._lines[collection]
        line = lines[name]
        if isinstance(line, str):
            del lines[name]
            if not lines:
                del self._lines[collection]
            return ""
        was_first = line[0] == since
        del line[bisect_left(line, since)]
        first = line[0]
        if len(line) == 1:
            lines[name] = first
        return first if was_first else ""

    def _first_of(self, collection: Collection, name: str) -> str:
        line = self._lines[collection][name]
        return line if isinstance(line, str) else line[0]


def creation_order(job: Job) -> str:
    """Return the place of a job among all jobs as a text: of two jobs created in one second, the name decides."""
    try:
        created = (job.metadata.creation_timestamp or _NEVER).astimezone(UTC)
    except OverflowError:  # a time at the end of the calendar, which no API server sets
        created = _NEVER
    return "\0".join((f"{created:%Y%m%d%H%M%S%f}", *job.key))


def _each_document(documents: Documents) -> Iterator[tuple[Collection, str]]:
    return ((collection, name) for collection, names in documents.items() for name in names)


def _kind(collection: Collection) -> Kind:
    names: dict[str, Kind] = {_HEARTBEATS: "heartbeat", _BARS: "bars"}
    return names.get(collection[-1], "quotes")
