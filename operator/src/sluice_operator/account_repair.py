"""The repair of ServiceAccounts and RoleBindings that another client has deleted or changed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from .domain.account_objects import AccountObject
from .informer_cache import ClusterState
from .ports import Cluster, ClusterError, NotLeading, RequestRefused, seconds_until_retry

log = logging.getLogger(__name__)

FIRST_BACKOFF_SECONDS: Final = 1.0  # between the first and the second repair of a namespace
LAST_BACKOFF_SECONDS: Final = 300.0
INTACT_SECONDS: Final = 600.0  # after which the next repair of a namespace is at once again
MOST_AT_ONCE: Final = 8  # so that connections are left for stops


class _Attempts(msgspec.Struct, frozen=True):
    """The number of repairs of a namespace in a row, and the time of the last one by the monotonic clock."""

    count: int
    at: float


class AccountRepair:
    """Applies the ServiceAccount and the RoleBinding of a namespace again.

    The first repair of a namespace is at once. If another client deletes or changes the objects again and again, or the
    API server refuses them, the wait before each further repair doubles, up to five minutes.
    """

    def __init__(self, cluster: Cluster, store: ClusterState, monotonic: Callable[[], float]) -> None:
        """`monotonic` returns the time in seconds."""
        self._cluster = cluster
        self._store = store
        self._monotonic = monotonic
        self._due: dict[str, float] = {}  # the time of the next repair, by namespace
        self._attempts: dict[str, _Attempts] = {}
        self._requested = asyncio.Event()

    def request(self, namespace: str) -> None:
        """Request a repair of the namespace, if the operator has applied the objects there before."""
        if namespace in self._store.namespaces_with_account:
            self._request_in(namespace, 0.0)

    async def run(self) -> None:
        """Carry out the requested repairs forever."""
        while True:
            self._requested.clear()
            next_at = min(self._due.values(), default=None)
            wait = None if next_at is None else max(0.0, next_at - self._monotonic())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._requested.wait()
            await self.repair_due_namespaces()

    async def repair_due_namespaces(self) -> None:
        """Carry out the repairs that are due, except in namespaces that have no job or are being deleted."""
        now = self._monotonic()
        due = [namespace for namespace, at in self._due.items() if at <= now]
        with_jobs = {namespace for namespace, _ in self._store.jobs} - self._store.terminating_namespaces
        for start in range(0, len(due), MOST_AT_ONCE):
            namespaces = due[start : start + MOST_AT_ONCE]
            for namespace in namespaces:
                del self._due[namespace]
            await asyncio.gather(*(self._repair(each) for each in namespaces if each in with_jobs))

    def _request_in(self, namespace: str, at_least: float) -> None:
        """Set the time of the next repair: the backoff after the last one, or `at_least` seconds from now."""
        if namespace in self._due:
            return
        now = self._monotonic()
        self._attempts = {each: made for each, made in self._attempts.items() if now - made.at < INTACT_SECONDS}
        last = self._attempts.get(namespace, _Attempts(0, now))
        backoff = min(LAST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2.0 ** (last.count - 1)) if last.count else 0.0
        self._due[namespace] = max(now + at_least, last.at + backoff)
        self._requested.set()

    async def _repair(self, namespace: str) -> None:
        """Apply the objects of the namespace. A failure is logged, and the repair is requested again."""
        last = self._attempts.get(namespace, _Attempts(0, 0.0))
        self._attempts[namespace] = _Attempts(last.count + 1, self._monotonic())
        try:
            await self._cluster.apply_account_and_role_binding(namespace)
        except NotLeading:
            return  # the next leader applies the objects of all namespaces
        except ClusterError as error:
            log.warning(
                "the ServiceAccount or RoleBinding of a namespace was not restored; retrying",
                extra={"namespace": namespace, "error": str(error)},
            )
            if isinstance(error, RequestRefused):
                self._store.record_if_namespace_terminates(namespace, str(error))
            if namespace not in self._store.terminating_namespaces:
                self._request_in(namespace, seconds_until_retry(error, 0.0))
            return
        log.warning(
            "another client deleted or changed the ServiceAccount or RoleBinding of a namespace; restored it",
            extra={"namespace": namespace, "repairs_in_a_row": last.count + 1},
        )
        self._store.namespaces_with_account.add(namespace)
        self._store.retry_jobs_of_namespace(namespace)  # their pods may have been refused meanwhile


class WatchedAccounts:
    """The objects of one kind, in one namespace or in all: requests a repair where one is missing or differs."""

    def __init__(self, namespace: str, store: ClusterState, request_repair: Callable[[str], None]) -> None:
        """An empty `namespace` means all namespaces."""
        self._namespace = namespace
        self._store = store
        self._request_repair = request_repair

    def replace_all(self, objects: Sequence[AccountObject]) -> None:
        """Compare a LIST with the namespaces in which the operator has applied the objects."""
        intact = {each.namespace for each in objects if each.is_as_applied}
        for namespace in self._store.namespaces_with_account - intact:
            if self._namespace in ("", namespace):
                self._request_repair(namespace)

    def put(self, value: AccountObject) -> None:
        """Request a repair if the new or changed object differs from what the operator applies."""
        if not value.is_as_applied:
            self._request_repair(value.namespace)

    def remove(self, value: AccountObject) -> None:
        """Request a repair, because the object was deleted."""
        self._request_repair(value.namespace)
