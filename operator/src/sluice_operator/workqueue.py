"""A work queue of keys. A key is in the queue at most once, is processed by one worker at a time, and is never lost.

It behaves like client-go's workqueue: a key that is added while it is processed is processed again afterwards.
Groups of keys take turns; within a group the order is first come, first served. So no key starves another, and no group
another group. The number of a group's keys that are processed at once is bounded, so that its requests do not make the
API server slow for other groups.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import random
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from .turns import GroupTurns

K = TypeVar("K")

FIRST_RETRY_SECONDS = 1.0
LAST_RETRY_SECONDS = 60.0


class WorkQueue(Generic[K]):
    """A work queue for one event loop. It is not thread-safe.

    A key is `dirty` from its addition until a worker takes it, and `processing` until that worker is done.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        jitter: Callable[[], float] = random.random,
        group_of: Callable[[K], Hashable] = lambda _: None,
        most_of_group: float = math.inf,
    ) -> None:
        """`clock` is monotonic, in seconds; `jitter` returns 0 to 1; `group_of` returns the group of a key.

        At most `most_of_group` keys of a group are processed at once.
        """
        self._clock = clock
        self._jitter = jitter
        self._ready = GroupTurns(group_of, most_of_group)  # the keys that no worker processes
        self._takable = asyncio.Semaphore(0)  # one for each key that a worker can take now
        self._dirty: dict[K, float] = {}  # the time of each addition, in order
        self._processing: set[K] = set()
        self._due: dict[K, float] = {}  # the earliest deadline of each key
        self._heap: list[tuple[float, int, K]] = []  # deadlines, among them superseded ones
        self._pushed = 0  # breaks ties in the heap: keys need no order
        self._failures: dict[K, int] = {}
        self._closed = False
        self._changed = asyncio.Event()  # a deadline was added, or the queue was shut down
        self.retries = 0

    def add(self, key: K) -> None:
        """Add a key to the queue now, unless it is already in the queue or the queue is shut down."""
        if key in self._dirty or self._closed:
            return
        self._dirty[key] = self._clock()
        if key not in self._processing:
            self._make_ready(key)

    def add_after(self, key: K, seconds: float) -> None:
        """Add a key after a delay. If it is already waiting for a delay, the earlier time counts."""
        when = self._clock() + seconds
        if self._closed or self._due.get(key, float("inf")) <= when:
            return
        self._due[key] = when
        self._pushed += 1
        heapq.heappush(self._heap, (when, self._pushed, key))
        self._changed.set()

    def add_after_backoff(self, key: K) -> None:
        """Add a key again after a failure. The backoff is 1 s, doubling up to 60 s, reduced at random by up to half."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.retries += 1
        delay = min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** min(failures, 10))
        self.add_after(key, delay * (1 - self._jitter() / 2))

    def reset_backoff(self, key: K) -> None:
        """Reset the backoff of a key, after a success."""
        self._failures.pop(key, None)

    async def get(self) -> K | None:
        """Wait for the next key. The caller processes it and then calls `mark_done`. Return None after a shutdown."""
        await self._takable.acquire()
        if self._closed:
            return None
        key = self._ready.take()
        del self._dirty[key]
        self._processing.add(key)
        return key

    def mark_done(self, key: K) -> None:
        """Mark the key as processed. If it was added while it was processed, it is ready to be taken again."""
        self._processing.remove(key)
        if self._ready.mark_done(key):
            self._takable.release()
        if key in self._dirty and not self._closed:
            self._make_ready(key)

    def _make_ready(self, key: K) -> None:
        if self._ready.add(key):
            self._takable.release()

    def add_due_keys(self) -> float | None:
        """Add every key whose delay has passed. Return the seconds until the next is due, or None if no key waits."""
        while self._heap:
            when, _, key = self._heap[0]
            superseded = self._due.get(key) != when
            if not superseded and when > self._clock():
                return when - self._clock()
            heapq.heappop(self._heap)
            if not superseded:
                del self._due[key]
                self.add(key)
        return None

    async def add_due_keys_until_shutdown(self) -> None:
        """Add each key when its delay has passed, until the queue is shut down."""
        while not self._closed:
            self._changed.clear()
            wait = self.add_due_keys()
            try:
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def shut_down(self, workers: int) -> None:
        """Shut the queue down. The number of `workers` is the number of calls of `get` that return None."""
        self._closed = True
        self._changed.set()
        for _ in range(workers):
            self._takable.release()

    @property
    def depth(self) -> int:
        """The number of keys that wait for a worker."""
        return len(self._dirty)

    @property
    def oldest_wait_seconds(self) -> float:
        """The seconds for which the key that was added first has waited."""
        return self._clock() - next(iter(self._dirty.values())) if self._dirty else 0.0
