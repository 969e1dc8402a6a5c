"""Keeps a copy of the objects of one kind, which the API server may not serve or may not let the operator read."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, Protocol, TypeVar

from .ports import ClusterError, NotFound, ObjectSource, RequestRefused, seconds_until_retry

log = logging.getLogger(__name__)

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

REFUSED_RETRY_SECONDS: Final = 30.0
FIRST_RETRY_SECONDS: Final = 1.0
LAST_RETRY_SECONDS: Final = 30.0
ATTEMPTS_AT_START: Final = 3


class ObjectStore(Protocol[T_contra]):
    """Where the objects are kept."""

    def replace_all(self, objects: Sequence[T_contra]) -> None:
        """Make the kept objects equal to a LIST."""

    def put(self, value: T_contra) -> None:
        """Keep a new or changed object."""

    def remove(self, value: T_contra) -> None:
        """Remove a deleted object."""


class ObjectFollower(Generic[T]):
    """Follows the objects of one kind with a LIST and a watch, again and again.

    If the kind is not served, there are no objects. If the operator may not read it, or the API server is unreachable,
    the last known objects are kept.
    """

    def __init__(
        self, kind: str, source: ObjectSource[T], store: ObjectStore[T], sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self.kind: Final = kind
        self.problem = ""  # why the kind cannot be read now, and what to do
        self._source: ObjectSource[T] = source
        self._store: ObjectStore[T] = store
        self._sleep = sleep
        self._version: str | None = None  # where the next watch begins; None: a LIST comes first
        self._failures = 0

    async def list_at_start(self) -> None:
        """List the objects. Return when the API server has answered, also with a refusal, or after three attempts.

        Stops are enforced only after the start, so it does not wait for these objects any longer.
        """
        for _ in range(ATTEMPTS_AT_START):
            seconds = await self._list_and_return_wait()
            if seconds is None or self.problem:
                return
            await self._sleep(seconds)

    async def run(self) -> None:
        """Follow the objects forever."""
        while True:
            wait = await self._list_and_return_wait() if self._version is None else None
            if wait is None:
                wait = await self._watch_and_return_wait()
            await self._sleep(wait)

    async def _list_and_return_wait(self) -> float | None:
        """List the objects. Return None if that succeeded, otherwise the seconds to the next attempt."""
        try:
            objects, self._version = await self._source.list_objects()
        except NotFound:
            self._record_problem(f"the API server does not serve {self.kind}: apply crds/ of the operator's version")
            self._store.replace_all([])
            return REFUSED_RETRY_SECONDS
        except ClusterError as error:
            return self._wait_after_failure(error)
        self._failures = 0
        self._record_problem("")
        self._store.replace_all(objects)
        return None

    async def _watch_and_return_wait(self) -> float:
        """Watch the objects until the watch ends. Return the seconds to the next LIST."""
        version, self._version = self._version or "", None
        try:
            async for change, value in self._source.watch_objects(version):
                self._failures = 0
                if change == "DELETED":
                    self._store.remove(value)
                else:
                    self._store.put(value)
        except ClusterError as error:
            return self._wait_after_failure(error)
        return FIRST_RETRY_SECONDS

    def _wait_after_failure(self, error: ClusterError) -> float:
        if isinstance(error, RequestRefused):
            self._record_problem(
                f"the operator may not list and watch {self.kind}: apply ClusterRole sluice-operator-read of the "
                f"operator's version ({error})"
            )
            return REFUSED_RETRY_SECONDS
        backoff = min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** min(self._failures, 5))
        seconds = seconds_until_retry(error, backoff)
        self._failures += 1
        log.info("the objects of a kind are read again", extra={"kind": self.kind, "error": str(error)})
        return seconds

    def _record_problem(self, problem: str) -> None:
        if problem and not self.problem:
            log.error("the objects of a kind cannot be read", extra={"kind": self.kind, "reason": problem})
        elif self.problem and not problem:
            log.info("the objects of a kind can be read again", extra={"kind": self.kind})
        self.problem = problem
