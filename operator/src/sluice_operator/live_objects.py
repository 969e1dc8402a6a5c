"""Reads of a single job or pod from the API server, whose responses go into the cluster state."""

from __future__ import annotations

from .domain.objects import Job, Key, Pod
from .informer_cache import ClusterState
from .ports import Cluster, NotFound, Unavailable


class LiveObjects:
    """Reads jobs and pods. An object that does not exist is removed from the cluster state."""

    def __init__(self, cluster: Cluster, store: ClusterState) -> None:
        self._cluster = cluster
        self._store = store

    async def refresh_job(self, key: Key) -> Job | None:
        """Read the job and store it, or remove it if it is gone. Return the job; None if it is gone."""
        cache = self._store.jobs
        known, removals = cache.get(key), cache.removals
        try:
            job = await self._cluster.read_job(key)
        except NotFound as error:
            if key[1] not in str(error):
                # An API server that has not read the definition of the kind yet answers so, about every job.
                raise Unavailable(f"the API server does not serve the kind of the job: {error}") from error
            if known is not None:  # not what is known by now, which may be newer than the response
                cache.remove_if_same_uid(key, known.metadata.uid)
            return None
        cache.put_if_newer(key, job, removals)
        return job

    async def refresh_pod(self, key: Key) -> Pod | None:
        """Read the pod and store it, or remove it if it is gone. Return the pod; None if it is gone."""
        cache = self._store.pods
        known, removals = cache.get(key), cache.removals
        try:
            pod = await self._cluster.read_pod(key)
        except NotFound:
            if known is not None:
                cache.remove_if_same_uid(key, known.metadata.uid)
            return None
        self._store.put_ingest_pod(pod, removals)
        return pod
