"""The write of the operator's part of a job's status, and the Events about what has changed in it."""

from __future__ import annotations

from .domain.actions import Decision
from .domain.objects import Key
from .domain.observation import Observation
from .informer_cache import ClusterState
from .live_objects import LiveObjects
from .ports import Cluster, Conflict, EventQueue, EventReport, NotFound


class StatusWriter:
    """Writes the status of a decision to the job that was observed, and to no other version or job of its name."""

    def __init__(self, cluster: Cluster, store: ClusterState, live: LiveObjects, recorder: EventQueue) -> None:
        self._cluster = cluster
        self._store = store
        self._live = live
        self._recorder = recorder

    async def write_and_queue_events(self, key: Key, observation: Observation, decision: Decision) -> bool:
        """Write the status, if the decision has one, and queue its Events.

        Return whether the observed job is still the newest. If not, nothing is written, and the job is read again.
        Raises `ClusterError` if the request fails.
        """
        job = observation.job
        if decision.status is None or job is None:
            return True
        self._store.record_status_write(key, decision.status)
        try:
            stored = await self._cluster.write_operator_status(job, decision.status)
        except (NotFound, Conflict):
            await self._live.refresh_job(key)
            return False
        if stored.metadata.uid != job.metadata.uid:
            await self._live.refresh_job(key)
            return False
        self._store.jobs.put_if_newer(key, stored, origin="write")
        for transition in decision.transitions:
            self._recorder.queue_or_drop(EventReport(key, job.metadata.uid, transition))
        return stored.metadata.generation == job.metadata.generation
