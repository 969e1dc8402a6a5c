"""A work queue of keys. A key is in the queue at most once, is processed by one worker at a time, and is never lost.

It behaves like client-go's workqueue: a key that is added while it is processed is processed again afterwards.
Groups of keys take turns; within a group the order is first come, first served. So no key starves another, and no group
another group. The number of a group's keys that are processed at once is bounded, so that its requests do not make the
API server slow for other groups.

A backoff of a key ends early only when another client has changed something (`add_changed`) or when a deadline passes.
What this process does by itself never ends it.
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
MOST_REPEATS = 4  # of a key in a row, at once; the next one waits for a backoff
SOON_SECONDS = 0.5  # the changes of this time are processed together


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
        self._repeats: dict[K, int] = {}  # the passes in a row that asked for another one
        self._backoff_ends: dict[K, float] = {}
        self._changed_keys: set[K] = set()  # the dirty keys that another client has changed
        self._closed = False
        self._changed = asyncio.Event()  # a deadline was added, or the queue was shut down
        self.retries = 0

    def add(self, key: K) -> None:
        """Add a key now, or at the end of its backoff if one is running. Do nothing if it is already in the queue."""
        remaining = self._backoff_ends.get(key, -math.inf) - self._clock()
        if remaining > 0:
            self.add_after(key, remaining)
        else:
            self._add_now(key)

    def add_changed(self, key: K) -> None:
        """Add a key now because another client has changed something. A running backoff ends."""
        end = self._backoff_ends.pop(key, None)
        if end is not None and self._due.get(key) == end:
            del self._due[key]
        if not self._closed:
            self._changed_keys.add(key)
        self._add_now(key)

    def add_soon(self, key: K) -> None:
        """Add a key in half a second, together with what else changes until then. A running backoff does not delay it.

        Use it for changes that come in quick succession and are not urgent.
        """
        self.add_after(key, SOON_SECONDS)

    def add_again(self, key: K) -> bool:
        """Add a key because its own pass asks for another one. From the fifth in a row on, it waits for a backoff.

        Return whether the key was added now.
        """
        repeats = self._repeats.get(key, 0) + 1
        self._repeats[key] = repeats
        if repeats > MOST_REPEATS:
            self.add_after_backoff(key)
            return False
        self._add_now(key)
        return True

    def _add_now(self, key: K) -> None:
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

    def add_after_backoff(self, key: K, at_least: float = 0.0) -> None:
        """Add a key again after a failure. The backoff is 1 s, doubling up to 60 s, reduced at random by up to half.

        It is at least `at_least` seconds. If this process itself added the key while it was processed, that waits too.
        """
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.retries += 1
        delay = min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** min(failures, 10))
        delay = max(at_least, delay * (1 - self._jitter() / 2))
        if key in self._processing and key not in self._changed_keys:
            self._dirty.pop(key, None)
        self._backoff_ends[key] = self._clock() + delay
        self.add_after(key, delay)

    def reset_backoff(self, key: K) -> None:
        """Reset the backoff of a key and the count of its repeats, after a pass that needs no other one."""
        self._failures.pop(key, None)
        self._repeats.pop(key, None)
        self._backoff_ends.pop(key, None)

    async def get(self) -> K | None:
        """Wait for the next key. The caller processes it and then calls `mark_done`. Return None after a shutdown."""
        await self._takable.acquire()
        if self._closed:
            return None
        key = self._ready.take()
        del self._dirty[key]
        self._changed_keys.discard(key)
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
                self._add_now(key)
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
