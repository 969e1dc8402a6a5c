"""Live reads of the objects whose watch events are missing, every 10 s until the watch delivers them again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Generic, Protocol

import msgspec

from sluice_contract import identity
from sluice_contract.decoding_errors import explain_decoding_error

from .domain.objects import Key
from .informer_cache import ClusterState
from .object_cache import ObjectCache, V
from .ports import Cluster, ClusterError, NotFound, PauseStore, seconds_until_retry

log = logging.getLogger(__name__)

PERIOD_SECONDS: Final = 10.0
MOST_READS: Final = 100  # of one kind in one round
_EXAMPLES: Final = 5


class DeliveryMetrics(Protocol):
    """Metrics of watch delivery.

    They count the objects whose newest state the watch has not delivered, and the reads of such objects from the API
    server.
    """

    def set_undelivered_objects(self, kind: str, count: int) -> None:
        """Set the number of objects of a kind whose newest state the watch has not delivered for 10 s."""

    def count_live_reads(self, kind: str, count: int) -> None:
        """Add to the number of live reads of objects of a kind."""


class LiveReads:
    """Reads jobs, pods and pauses whose watch events are missing, and stores them in the cluster state."""

    def __init__(
        self,
        cluster: Cluster,
        pauses: PauseStore,
        store: ClusterState,
        metrics: DeliveryMetrics,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """Take the function that sleeps for a number of seconds, so that tests need not wait."""
        known = store.pauses
        self._of_cluster = _OverdueObjects(identity.CLUSTER_PAUSES, known.of_cluster, pauses.read_pause, metrics)
        self._pauses = _OverdueObjects(identity.PAUSES, known.namespaced, pauses.read_pause, metrics)
        self._jobs = _OverdueObjects(identity.PLURAL, store.jobs, cluster.read_job, metrics)
        self._pods = _OverdueObjects("pods", store.pods, cluster.read_pod, metrics)
        self._sleep = sleep

    async def run(self) -> None:
        """Read the overdue objects every 10 s, or later if the API server asks for that, forever."""
        while True:
            kinds = (self._of_cluster, self._pauses, self._jobs, self._pods)
            await self._sleep(max(PERIOD_SECONDS, *(kind.asked_seconds for kind in kinds)))
            await self.refresh_overdue_objects()

    async def refresh_overdue_objects(self) -> None:
        """Read and store each object whose watch event was already missing in the last round and is still missing."""
        await self._of_cluster.refresh_overdue()
        await self._pauses.refresh_overdue()
        await self._jobs.refresh_overdue()
        await self._pods.refresh_overdue()


class _OverdueObjects(Generic[V]):
    """The objects of one kind whose watch events are missing."""

    def __init__(
        self, kind: str, cache: ObjectCache[V], read_live: Callable[[Key], Awaitable[V]], metrics: DeliveryMetrics
    ) -> None:
        self._kind = kind
        self._cache: ObjectCache[V] = cache
        self._read_live: Callable[[Key], Awaitable[V]] = read_live
        self._metrics = metrics
        self._undelivered: dict[Key, int] = {}  # in the last round: key and version
        self._logged: set[Key] = set()
        self.asked_seconds = 0.0  # for which the API server wants no request, as the last round said
        self._start = 0  # where the next round starts, so that no object is read again before all others

    async def refresh_overdue(self) -> None:
        """Read up to 100 overdue objects from the API server and store them in the cache. Update metrics and log."""
        self.asked_seconds = 0.0
        overdue = self._start_round_and_return_overdue()
        self._metrics.set_undelivered_objects(self._kind, len(overdue))
        self._log_changes(set(overdue))
        if not overdue:
            return
        start = self._start % len(overdue)
        chosen = (overdue[start:] + overdue[:start])[:MOST_READS]
        self._start = start + len(chosen)
        self._metrics.count_live_reads(self._kind, len(chosen))
        failures = [error for error in await asyncio.gather(*map(self._refresh_and_return_error, chosen)) if error]
        if failures:
            extra = {"kind": self._kind, "objects": len(failures), "error": failures[0]}
            log.warning("live reads failed; retrying", extra=extra)

    def _start_round_and_return_overdue(self) -> list[Key]:
        """Record the objects that the watch has not delivered. Return those it had not delivered a round ago either."""
        before, self._undelivered = self._undelivered, self._cache.undelivered_versions()
        return [key for key in self._undelivered if before.get(key, -1) > self._cache.streamed.get(key, -1)]

    async def _refresh_and_return_error(self, key: Key) -> str:
        """Read one object and store it. Return the error, or an empty text if the read succeeded."""
        known, removals = self._cache.get(key), self._cache.removals
        try:
            self._cache.put_if_newer(key, await self._read_live(key), removals)
        except NotFound:
            if known is not None:
                self._cache.remove_if_same_uid(key, known.metadata.uid)
        except msgspec.ValidationError as error:
            return f"{'/'.join(key)} is not understood: {explain_decoding_error(error)}"
        except ClusterError as error:
            self.asked_seconds = seconds_until_retry(error, self.asked_seconds)
            return f"{'/'.join(key)}: {error}"
        return ""

    def _log_changes(self, overdue: set[Key]) -> None:
        missing, recovered = overdue - self._logged, self._logged - overdue
        self._logged = overdue
        if missing:
            log.warning("the watch does not deliver objects; reading them live", extra=self._log_fields(missing))
        if recovered:
            log.info("objects are no longer read live", extra=self._log_fields(recovered))

    def _log_fields(self, keys: set[Key]) -> dict[str, object]:
        examples = ["/".join(key) for key in sorted(keys)[:_EXAMPLES]]
        return {"kind": self._kind, "objects": len(keys), "examples": examples}
