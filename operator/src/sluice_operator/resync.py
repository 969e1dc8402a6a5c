"""Periodic full resyncs, which correct the cache and count the objects that the watches missed.

kopf delivers a LIST after a gap, but never the removals in the gap. Without a resync, an object that was deleted in a
gap would stay known forever.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from sluice_contract import identity

from .domain import facts
from .domain.objects import Job, Key, Pod, job_key_of_pod_name
from .domain.pause_objects import PauseObject
from .informer_cache import ClusterState
from .object_cache import ObjectCache
from .pause_lists import PauseLists
from .ports import Cluster, ClusterError, NotFound, NotLeading, seconds_until_retry

log = logging.getLogger(__name__)

PERIOD_SECONDS = 300.0
SUSPICION_SECONDS = 60.0  # until the next resync, if a watch was silent
FIRST_SECONDS = 15.0  # kopf's own LIST comes between the first LIST and the start of its watch
GRACE_SECONDS = 10.0  # the time that a watch may be behind a LIST
START_RETRY_SECONDS = 2.0
MOST_SILENCES_IN_A_ROW = 2


AnyCache = ObjectCache[Job] | ObjectCache[Pod] | ObjectCache[PauseObject]


class WatchBroken(Exception):  # noqa: N818  named after the fact
    """A watch no longer delivers events, and only a restart of the process can fix it."""


class ResyncMetrics(Protocol):
    """The metric about objects that a resync corrected."""

    def count_repairs(self, kind: str, count: int) -> None:
        """Add to the number of objects of a kind that a resync corrected."""


class ResyncTiming(msgspec.Struct, frozen=True):
    """The functions for sleeping and jitter, which tests replace."""

    sleep: Callable[[float], Awaitable[None]]
    jitter: Callable[[], float]  # 0 to 1


class WatchSilenceCount:
    """The number of resyncs in a row in which objects of a kind changed but their watch delivered no event at all.

    If only some events are missing, the watch is not broken: see live_reads.
    """

    def __init__(self, cache: AnyCache) -> None:
        self.in_a_row = 0
        self._cache = cache
        self._deliveries = 0
        self._undelivered: dict[Key, int] = {}

    def update_after_resync(self, removals: int) -> None:
        """Update the count after a resync. `removals` is the number of removals that the watch has not delivered."""
        before, self._undelivered = self._undelivered, self._cache.undelivered_versions()
        has_changes = removals > 0 or any(before.get(key) != version for key, version in self._undelivered.items())
        if self._cache.deliveries != self._deliveries:
            self._deliveries, self.in_a_row = self._cache.deliveries, 0
        elif has_changes:
            self.in_a_row += 1


class Resync:
    """The full LISTs: one at the start, and then one every 300 s ± 20 % (60 s ± 20 % after a silence of a watch)."""

    def __init__(
        self, cluster: Cluster, store: ClusterState, repairs: ResyncMetrics, timing: ResyncTiming, pauses: PauseLists
    ) -> None:
        """`pauses` lists the pauses into their caches of `store`."""
        self._cluster = cluster
        self._pauses = pauses
        self._store = store
        self._repairs = repairs
        self._timing = timing
        self._caches: dict[str, AnyCache] = {
            identity.PLURAL: store.jobs,
            "pods": store.pods,
            identity.PAUSES: store.pauses.namespaced,
            identity.CLUSTER_PAUSES: store.pauses.of_cluster,
        }
        self._silences = {kind: WatchSilenceCount(cache) for kind, cache in self._caches.items()}

    async def list_until_complete(self) -> None:
        """Fill the cache with a LIST of all objects. Retry until it succeeds; the operator acts only then.

        A kind of pauses that is not served, or that the operator may not list, prevents nothing.
        """
        while True:
            wait = START_RETRY_SECONDS
            try:
                await self._replace_cache_with_lists()
            except NotFound:
                log.error("the API server does not serve the IngestJob CRD: apply crds/ to the cluster")
            except ClusterError as error:
                wait = seconds_until_retry(error, wait)
                log.warning("the first LIST failed; retrying", extra={"error": str(error)})
            else:
                log.info(
                    "the first LIST is complete", extra={"jobs": len(self._store.jobs), "pods": len(self._store.pods)}
                )
                return
            await self._timing.sleep(wait)

    async def run(self, add_key: Callable[[Key], None]) -> None:
        """Resync forever. Raises `WatchBroken` if a watch delivered nothing in two resyncs in a row with changes."""
        await self._timing.sleep(FIRST_SECONDS)
        while True:
            asked = 0.0
            try:
                await self.relist_and_requeue_all(add_key)
            except ClusterError as error:
                asked = seconds_until_retry(error, asked)
                log.warning("a resync failed; retrying", extra={"error": str(error)})
            is_suspicious = any(silence.in_a_row for silence in self._silences.values())
            period = SUSPICION_SECONDS if is_suspicious else PERIOD_SECONDS
            await self._timing.sleep(max(asked, period * (0.8 + 0.4 * self._timing.jitter())))

    async def relist_and_requeue_all(self, add_key: Callable[[Key], None]) -> None:
        """List all objects, correct the cache, apply ServiceAccounts and RoleBindings, and add every key to the queue.

        Then count the objects that the watches missed. Raises `WatchBroken` if a watch delivers nothing any more.
        """
        differed = await self._replace_cache_with_lists()
        await self.apply_accounts_and_role_bindings()
        for key in {*self._store.jobs, *self._store.pods}:
            add_key(key)
        if any(differed.values()) or any(cache.undelivered_versions() for cache in self._caches.values()):
            await self._timing.sleep(GRACE_SECONDS)
        for kind, versions in differed.items():
            self._count_missed_and_raise_if_broken(kind, self._caches[kind], versions)

    def _count_missed_and_raise_if_broken(self, kind: str, cache: AnyCache, differed: dict[Key, int | None]) -> None:
        """Count the objects that the watch missed. Raises `WatchBroken` after two silences of the watch in a row."""
        gone = [key for key, version in differed.items() if version is None]
        removals = sum(cache.streamed.pop(key, None) is not None for key in gone)
        late = sum(cache.streamed.get(key, -1) < version for key, version in differed.items() if version is not None)
        if missed := removals + late:
            self._repairs.count_repairs(kind, missed)
            log.warning("a resync corrected objects that the watch missed", extra={"kind": kind, "objects": missed})
        silence = self._silences[kind]
        silence.update_after_resync(removals)
        if silence.in_a_row >= MOST_SILENCES_IN_A_ROW:
            raise WatchBroken(f"the watch of {kind} delivered nothing while objects changed, in two resyncs in a row")

    async def _replace_cache_with_lists(self) -> dict[str, dict[Key, int | None]]:
        """List all objects and correct the cache. Return the versions that differed, by the kind that was listed.

        None is the version of an object that no longer exists.
        """
        # A pause is known before the jobs that it covers, so that no pod is created for them.
        pauses = await self._pauses.replace_caches()
        self._store.jobs.begin_to_record_changes()
        self._store.pods.begin_to_record_changes()
        jobs, pods = await self._cluster.list_jobs(), await self._cluster.list_pods()
        by_key = {(pod.metadata.namespace, pod.metadata.name): pod for pod in pods}
        named = {
            key: pod for (space, name), pod in by_key.items() if (key := job_key_of_pod_name(space, name)) is not None
        }
        return pauses | {
            identity.PLURAL: self._store.jobs.replace_all({job.key: job for job in jobs}, is_kept=lambda _: False),
            "pods": self._store.pods.replace_all(named, is_kept=lambda pod: not facts.pod_has_operator_label(pod)),
        }

    async def apply_accounts_and_role_bindings(self) -> None:
        """Apply the ServiceAccount and RoleBinding in each namespace with jobs. Failures are logged, then retried."""
        for namespace in {namespace for namespace, _ in self._store.jobs}:
            try:
                await self._cluster.apply_account_and_role_binding(namespace)
            except NotLeading:
                return
            except ClusterError as error:
                self._store.namespaces_with_account.discard(namespace)
                log.warning(
                    "the ServiceAccount or RoleBinding of a namespace was not applied; retrying",
                    extra={"namespace": namespace, "error": str(error)},
                )
            else:
                self._store.namespaces_with_account.add(namespace)
