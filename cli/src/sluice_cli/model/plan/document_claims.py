"""The Firestore documents that jobs write. Of two jobs that write one document, the newer one is stopped.

The rule is that of the operator (DocumentConflict).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from ..fields import child, flag, text, texts
from .merged_document import with_defaults
from .symbol_duplicates import unique_symbols

_NEWEST = "9999"
HEARTBEAT, QUOTES, BARS = "heartbeat", "quotes", "bars"
# The names of documents, by their kind, database, tenant and collection.
Claims = dict[tuple[str, str, str, str], frozenset[str]]


class PlannedJob(NamedTuple):
    """A job as it is, or as it would be. `place` orders jobs by their creation, and then by their names."""

    namespace: str
    name: str
    place: tuple[str, str, str]
    document: dict[str, Any]
    spec: dict[str, Any]  # with the defaults of the schema, and each symbol once
    claims: Claims

    @property
    def full_name(self) -> str:
        """Namespace and name, such as `acme/us-equities`."""
        return f"{self.namespace}/{self.name}"


class Conflict(NamedTuple):
    """Documents that two jobs would write. `other` is the other job; `symbols` has the names of quotes or bars."""

    other: str
    is_other_older: bool
    kind: str
    collection: str  # of the quotes, or the ID of the heartbeat
    symbols: tuple[str, ...]
    is_by_default_project: bool = False  # if the operator's default project is the one that the other job names


def planned_job(document: dict[str, Any]) -> PlannedJob:
    """Return the job of a document. One without a creation time is the newest."""
    namespace, name = text(document, "metadata", "namespace"), text(document, "metadata", "name")
    created = text(document, "metadata", "creationTimestamp") or _NEWEST
    spec = unique_symbols(with_defaults(child(document, "spec")))
    return PlannedJob(namespace, name, (created, namespace, name), document, spec, _claims(spec))


def conflicts_of(job: PlannedJob, others: Iterable[PlannedJob]) -> list[Conflict]:
    """Return the conflicts with each other job, those with older jobs first. A dry run writes only its heartbeat."""
    found: list[Conflict] = []
    for other in others:
        if (other.namespace, other.name) != (job.namespace, job.name):
            found += _shared(job, other)
    return sorted(found, key=lambda each: (not each.is_other_older, each.other, each.kind))


def _claims(spec: dict[str, Any]) -> Claims:
    place = (text(spec, "firestore", "database"), text(spec, "tenant"))
    claims: Claims = {(HEARTBEAT, *place, text(spec, "heartbeat", "document")): frozenset(("",))}
    if not flag(spec, "dryRun"):
        symbols = frozenset(texts(spec, "symbols"))
        claims[(QUOTES, *place, text(spec, "firestore", "liveQuotesCollection"))] = symbols
        if "bars" in texts(spec, "channels"):
            claims[(BARS, *place, "")] = symbols
    return claims


def _shared(job: PlannedJob, other: PlannedJob) -> Iterable[Conflict]:
    projects = {text(each.spec, "firestore", "projectID") for each in (job, other)}
    if len(projects) == 2 and "" not in projects:
        return
    for key, names in job.claims.items():
        common = names & other.claims.get(key, frozenset())
        if common:
            symbols = () if key[0] == HEARTBEAT else tuple(sorted(common))
            yield Conflict(other.full_name, other.place < job.place, key[0], key[3], symbols, len(projects) == 2)
