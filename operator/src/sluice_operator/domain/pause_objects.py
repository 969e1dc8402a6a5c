"""The pauses that are objects of their own, IngestPause and ClusterIngestPause, as the operator reads them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec

from sluice_contract import identity
from sluice_contract.lenient import decode_readable_fields
from sluice_contract.pause_reading import read_cluster_pause_spec, read_pause_spec
from sluice_contract.pause_sources import cluster_pause_source, pause_source
from sluice_contract.pause_status import PauseSource
from sluice_contract.pauses import ClusterIngestPauseSpec, IngestPauseSpec, PauseStatus
from sluice_contract.providers import feed_of_spec
from sluice_contract.resource import ObjectMeta

from .objects import Job

PauseKey = tuple[str, str]  # namespace and name; a ClusterIngestPause has no namespace
_CLUSTER: Final = ""


class PauseObject(msgspec.Struct, frozen=True, kw_only=True):
    """An IngestPause or a ClusterIngestPause.

    If a field of its spec is not understood, `problem` is a sentence that names it. The pause then covers every job
    that it could concern, the whole of it, and without an end.
    """

    metadata: ObjectMeta
    spec: IngestPauseSpec | ClusterIngestPauseSpec
    problem: str = ""
    status: PauseStatus = PauseStatus()

    @property
    def key(self) -> PauseKey:
        """The namespace and the name of the pause."""
        return self.metadata.namespace, self.metadata.name

    @property
    def kind(self) -> str:
        """The kind of the pause."""
        return identity.CLUSTER_PAUSE_KIND if self.is_of_cluster else identity.PAUSE_KIND

    @property
    def is_of_cluster(self) -> bool:
        """Whether the pause is a ClusterIngestPause."""
        return self.metadata.namespace == _CLUSTER

    @property
    def source(self) -> str:
        """The name of the pause in the status of a job."""
        name = self.metadata.name
        return cluster_pause_source(name) if self.is_of_cluster else pause_source(name)

    @property
    def symbols(self) -> frozenset[str] | None:
        """The symbols that are paused in each job; None if whole jobs are paused."""
        return frozenset(self.spec.symbols) if self.spec.symbols is not None else None

    @property
    def pauses_whole_jobs(self) -> bool:
        """Whether the pause is not limited to some symbols."""
        return self.spec.symbols is None

    def is_in_force(self, now: datetime) -> bool:
        """Return whether the pause has no end, or an end after `now`."""
        return self.spec.until is None or self.spec.until > now

    def covers_job(self, job: Job) -> bool:
        """Return whether the pause selects the job. The time and the symbols are not considered.

        A job whose spec is not understood could have any provider, so each ClusterIngestPause covers it.
        """
        if isinstance(self.spec, ClusterIngestPauseSpec):
            return job.spec is None or self.spec.covers_feed(job.spec.provider, feed_of_spec(job.spec))
        namespace, name = job.key
        return namespace == self.metadata.namespace and self.spec.covers_job(name, job.metadata.labels)

    def to_source(self) -> PauseSource:
        """Return the pause as a switch in the status of a job."""
        reason = self.problem or self.spec.reason
        return PauseSource(source=self.source, reason=reason, by=self.spec.by, until=self.spec.until)


def pause_from_parts(metadata: ObjectMeta, spec: Any, status: Any) -> PauseObject:
    """Return the IngestPause with this metadata, and with this spec and status as decoded JSON. Never raises."""
    reading = read_pause_spec(spec)
    return _pause_object(metadata, reading.spec, reading.problem, status)


def cluster_pause_from_parts(metadata: ObjectMeta, spec: Any, status: Any) -> PauseObject:
    """Return the ClusterIngestPause with these parts. Never raises."""
    reading = read_cluster_pause_spec(spec)
    return _pause_object(metadata, reading.spec, reading.problem, status)


def _pause_object(
    metadata: ObjectMeta, spec: IngestPauseSpec | ClusterIngestPauseSpec, problem: str, status: Any
) -> PauseObject:
    return PauseObject(
        metadata=metadata, spec=spec, problem=problem, status=decode_readable_fields(status or {}, PauseStatus)
    )


def order_of_authority(pause: PauseObject) -> tuple[bool, str]:
    """Return a key by which pauses are sorted: those of the cluster first, each kind in the order of names."""
    return not pause.is_of_cluster, pause.metadata.name
