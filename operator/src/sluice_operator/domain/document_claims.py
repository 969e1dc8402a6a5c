"""The Firestore documents that each job writes, and the conflicts between jobs.

A document has one writer: of several jobs that claim it, the one that was created first. It makes no difference if that
job is paused, or itself conflicts with an even older job: it may resume at any moment.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import Final

import msgspec

from .objects import Job, Key

Collection = tuple[str, str, str, str]  # Google Cloud project, database, tenant, collection
Since = tuple[datetime, Key]  # the creation time; of two in the same second, the name decides
Documents = dict[Collection, tuple[str, ...]]  # IDs, or the symbols that they stand for, in order

_HEARTBEATS: Final = "ops"
_BARS: Final = "live_bars"
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class DocumentClaim(msgspec.Struct, frozen=True):
    """The documents that one job claims, and its creation time. The oldest job that claims a document has it."""

    since: Since
    documents: Documents


class DocumentConflict(msgspec.Struct, frozen=True, kw_only=True):
    """A conflict with an older job: `holder` is that job. The documents are those that both jobs would write."""

    holder: Key
    heartbeat: str = ""  # the ID of the shared document; empty: each job has its own
    quotes: tuple[str, ...] = ()
    bars: tuple[str, ...] = ()


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
    return DocumentClaim((job.metadata.creation_timestamp or _NEVER, job.key), documents)


class DocumentClaims:
    """The claims of all jobs, indexed by document. A change of a job costs time in proportion to its documents.

    The oldest job that claims a document has it, so only a change of the oldest job affects the others.
    """

    def __init__(self) -> None:
        self._claims: dict[Key, DocumentClaim] = {}
        self._lines: dict[Collection, dict[str, tuple[Since, ...]]] = {}  # for each document, the oldest job first
        self._conflicts: dict[Key, DocumentConflict | None] = {}  # a cache of the results of `conflict`

    def replace_claim(self, key: Key, claim: DocumentClaim | None) -> set[Key]:
        """Replace the claim of a job; None removes it. Return the other jobs whose conflicts may have changed."""
        before = self._claims.pop(key, None)
        concerned: set[Key] = set()
        if claim is not None:
            self._claims[key] = claim
        if claim != before:
            concerned |= self._remove_claim(before) if before is not None else set()
            concerned |= self._add_claim(claim) if claim is not None else set()
            for each in (key, *concerned):
                self._conflicts.pop(each, None)
        return concerned - {key}

    def find_conflict(self, key: Key) -> DocumentConflict | None:
        """Return the job's conflict with the oldest of the jobs that claimed its documents before it, or None."""
        if key not in self._conflicts and key in self._claims:
            self._conflicts[key] = self._compute_conflict(self._claims[key])
        return self._conflicts.get(key)

    def _compute_conflict(self, claim: DocumentClaim) -> DocumentConflict | None:
        ahead = [
            (line[0], collection[-1], name)
            for collection, names in claim.documents.items()
            for name in names
            if (line := self._lines[collection][name])[0] != claim.since
        ]
        if not ahead:
            return None
        holder, _, _ = min(ahead)
        shared: defaultdict[str, list[str]] = defaultdict(list)
        for first, collection, name in ahead:
            if first == holder:
                shared[collection if collection in (_HEARTBEATS, _BARS) else ""].append(name)
        return DocumentConflict(
            holder=holder[1],
            heartbeat="".join(shared[_HEARTBEATS]),
            quotes=tuple(sorted(shared[""])),
            bars=tuple(sorted(shared[_BARS])),
        )

    def _add_claim(self, claim: DocumentClaim) -> set[Key]:
        """Add the claim to the index. Return the jobs that claim a document of which it is now the oldest claim."""
        concerned: set[Key] = set()
        for collection, names in claim.documents.items():
            lines = self._lines.setdefault(collection, {})
            for name in names:
                line = lines.get(name, ())
                lines[name] = tuple(sorted((*line, claim.since)))
                if lines[name][0] == claim.since:
                    concerned.update(key for _, key in line)
        return concerned

    def _remove_claim(self, before: DocumentClaim) -> set[Key]:
        """Remove the claim from the index. Return the jobs that claim a document of which it was the oldest claim."""
        concerned: set[Key] = set()
        for collection, names in before.documents.items():
            lines = self._lines[collection]
            for name in names:
                line = lines.pop(name)
                if left := tuple(each for each in line if each != before.since):
                    lines[name] = left
                if line[0] == before.since:
                    concerned.update(key for _, key in left)
            if not lines:
                del self._lines[collection]
        return concerned
