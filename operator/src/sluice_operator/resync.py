"""Anti-entropy: now and then the whole truth is read, and what the watches missed is repaired and counted.

kopf delivers a LIST after a gap but never what disappeared in it, so without this an object that was deleted at the
wrong moment would be known for ever.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from sluice_contract import identity

from .domain.objects import Job, Key, Pod, key_of_pod
from .ports import Cluster, ClusterError, NotFound, NotLeading
from .store import Shelf, Store

log = logging.getLogger(__name__)

PERIOD_SECONDS = 300.0
FIRST_SECONDS = 15.0  # kopf's own LIST lies between our first and the start of its watch
GRACE_SECONDS = 10.0  # that a watch may be behind a LIST
START_RETRY_SECONDS = 2.0
MOST_MISSES_IN_A_ROW = 2


class Blind(Exception):  # noqa: N818  what the process is
    """The watches do not deliver. Only a new process helps."""


class Repairs(Protocol):
    """Where repairs are counted."""

    def repaired(self, kind: str, count: int) -> None:
        """So many objects of a kind were not as the watch had shown them."""


class Timing(msgspec.Struct, frozen=True):
    """How time passes for a resync."""

    sleep: Callable[[float], Awaitable[None]]
    jitter: Callable[[], float]  # 0 to 1


class Resync:
    """Reads everything at the start, and every 300 s ± 20 % from then on."""

    def __init__(self, cluster: Cluster, store: Store, repairs: Repairs, timing: Timing) -> None:
        self._cluster = cluster
        self._store = store
        self._repairs = repairs
        self._timing = timing
        self._misses = 0

    async def first(self) -> None:
        """The first full LIST of both kinds, however long it takes: nothing is done before it."""
        while True:
            try:
                await self._list()
            except NotFound:
                log.error("the IngestJob CRD is not served: apply crds/ to the cluster")
            except ClusterError as error:
                log.warning("the first LIST failed", extra={"error": str(error)})
            else:
                log.info("listed", extra={"jobs": len(self._store.jobs), "pods": len(self._store.pods)})
                return
            await self._timing.sleep(START_RETRY_SECONDS)

    async def run(self, add: Callable[[Key], None]) -> None:
        """Repeats for ever. Raises `Blind` when two in a row found what the watches never delivered."""
        await self._timing.sleep(FIRST_SECONDS)
        while True:
            try:
                await self.again(add)
            except ClusterError as error:
                log.warning("a resync failed", extra={"error": str(error)})
            await self._timing.sleep(PERIOD_SECONDS * (0.8 + 0.4 * self._timing.jitter()))

    async def again(self, add: Callable[[Key], None]) -> None:
        """One resync: lists, repairs, ensures the accounts, adds every key, and judges the watches."""
        jobs, pods = await self._list()
        await self.ensure_accounts()
        for key in {*self._store.jobs, *self._store.pods}:
            add(key)
        if jobs or pods:
            await self._timing.sleep(GRACE_SECONDS)
        missed = self._missed("ingestjobs", self._store.jobs, jobs) + self._missed("pods", self._store.pods, pods)
        self._misses = self._misses + 1 if missed else 0
        if self._misses >= MOST_MISSES_IN_A_ROW:
            raise Blind("two resyncs in a row repaired what the watches never delivered")

    async def _list(self) -> tuple[dict[Key, int | None], dict[Key, int | None]]:
        self._store.jobs.begin_list()
        self._store.pods.begin_list()
        jobs, pods = await self._cluster.list_jobs(), await self._cluster.list_pods()
        by_key = {(pod.metadata.namespace, pod.metadata.name): pod for pod in pods}
        named = {key: pod for (space, name), pod in by_key.items() if (key := key_of_pod(space, name)) is not None}
        return (
            self._store.jobs.end_list({job.key: job for job in jobs}, kept=lambda _: False),
            self._store.pods.end_list(named, kept=_is_unlabelled),
        )

    async def ensure_accounts(self) -> None:
        """Repairs what somebody did to them. A refusal is told at the next job that needs the account."""
        for namespace in {namespace for namespace, _ in self._store.jobs}:
            try:
                await self._cluster.ensure_account(namespace)
            except NotLeading:
                return
            except ClusterError as error:
                self._store.accounts.discard(namespace)
                log.warning("an account is not ensured", extra={"namespace": namespace, "error": str(error)})
            else:
                self._store.accounts.add(namespace)

    def _missed(self, kind: str, shelf: Shelf[Job] | Shelf[Pod], differed: dict[Key, int | None]) -> int:
        missed = 0
        for key, version in differed.items():
            if version is None:  # it is gone, and the watch has not said so to this day
                missed += shelf.streamed.pop(key, None) is not None
            else:
                missed += shelf.streamed.get(key, -1) < version
        if missed:
            self._repairs.repaired(kind, missed)
            log.warning("repaired", extra={"kind": kind, "objects": missed})
        return missed


def _is_unlabelled(pod: Pod) -> bool:
    return pod.metadata.labels.get(identity.MANAGED_BY_LABEL) != identity.MANAGED_BY
