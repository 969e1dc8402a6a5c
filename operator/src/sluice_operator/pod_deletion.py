"""The deletion of pods: only what live reads confirm is deleted."""

from __future__ import annotations

from .domain.actions import DeletePod
from .domain.objects import Job, Key, Pod
from .domain.observation import Observation
from .informer_cache import ClusterState
from .live_objects import LiveObjects
from .ports import Cluster, Conflict, NotFound


class PodDeleter:
    """Deletes pods and stores their new states."""

    def __init__(self, cluster: Cluster, store: ClusterState, live: LiveObjects) -> None:
        self._cluster = cluster
        self._store = store
        self._live = live

    async def delete_unless_cache_is_stale(self, key: Key, observation: Observation, step: DeletePod) -> None:
        """Delete a pod, unless live reads show that the cached objects, on which the decision is based, are stale.

        Raises `ClusterError` if a request fails.
        """
        if observation.conflict is not None:
            holder = observation.conflict.holder
            await self._live.refresh_job(holder)
            await self._live.refresh_pod(holder)  # the pod of a deleted job may still write
            if self._store.claims.find_conflict(key) != observation.conflict:
                return
        job, pod = await self._live.refresh_job(key), await self._live.refresh_pod(key)
        if (
            _uid_and_generation(job) != _uid_and_generation(observation.job)
            or pod is None
            or _uid_and_version(pod) != (step.uid, step.resource_version)
        ):
            return
        self._store.tracked_state_of_job(key).uid_of_deletion = step.uid
        try:
            await self._cluster.delete_pod(key, step.uid, step.resource_version)
        except Conflict:
            return  # the pod has just changed: the next pass decides
        except NotFound:
            pass
        await self._live.refresh_pod(key)


def _uid_and_generation(job: Job | None) -> tuple[str, int] | None:
    return (job.metadata.uid, job.metadata.generation) if job is not None else None


def _uid_and_version(pod: Pod) -> tuple[str, str]:
    return pod.metadata.uid, pod.metadata.resource_version
