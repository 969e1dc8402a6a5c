"""A queue of keys: each at most once in it, never in two hands at once, and nothing added is ever forgotten.

The semantics of client-go's workqueue: a key that is added while it is being processed is processed again afterwards.
Order is first come, first served, so that no key starves another.
"""

from __future__ import annotations

import asyncio
import heapq
import random
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")

FIRST_RETRY_SECONDS = 1.0
LAST_RETRY_SECONDS = 60.0


class WorkQueue(Generic[K]):
    """The queue. Not thread-safe: one event loop.

    A key is `dirty` from being added until somebody takes it, `processing` until that somebody is done.
    """

    def __init__(self, clock: Callable[[], float], jitter: Callable[[], float] = random.random) -> None:
        """`clock` is monotonic, in seconds; `jitter` gives 0 to 1."""
        self._clock = clock
        self._jitter = jitter
        self._ready: asyncio.Queue[K | None] = asyncio.Queue()
        self._dirty: dict[K, float] = {}  # since when; in the order of adding
        self._processing: set[K] = set()
        self._due: dict[K, float] = {}  # the earliest deadline of each key
        self._heap: list[tuple[float, int, K]] = []  # deadlines, among them superseded ones
        self._pushed = 0  # breaks ties in the heap: keys need no order
        self._failures: dict[K, int] = {}
        self._closed = False
        self._changed = asyncio.Event()  # a deadline was added, or the end has come
        self.retries = 0

    def add(self, key: K) -> None:
        """The key is to be processed as soon as may be."""
        if key in self._dirty or self._closed:
            return
        self._dirty[key] = self._clock()
        if key not in self._processing:
            self._ready.put_nowait(key)

    def add_after(self, key: K, seconds: float) -> None:
        """The key is to be processed no later than this. The earliest of several deadlines counts."""
        when = self._clock() + seconds
        if self._closed or self._due.get(key, float("inf")) <= when:
            return
        self._due[key] = when
        self._pushed += 1
        heapq.heappush(self._heap, (when, self._pushed, key))
        self._changed.set()

    def retry(self, key: K) -> None:
        """The key failed: 1 s, doubling to 60 s, each time with up to half of it cut off at random."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.retries += 1
        delay = min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** min(failures, 10))
        self.add_after(key, delay * (1 - self._jitter() / 2))

    def forget(self, key: K) -> None:
        """The key succeeded: its next failure is a first one."""
        self._failures.pop(key, None)

    async def get(self) -> K | None:
        """The next key, now in the caller's hands until `done`. None: the queue is shut down."""
        key = await self._ready.get()
        if key is None or self._closed:
            return None
        del self._dirty[key]
        self._processing.add(key)
        return key

    def done(self, key: K) -> None:
        """The caller's hands are empty again."""
        self._processing.discard(key)
        if key in self._dirty and not self._closed:
            self._ready.put_nowait(key)

    def add_due(self) -> float | None:
        """Adds every key whose deadline has passed. Seconds until the next deadline; None: there is none."""
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

    async def keep_time(self) -> None:
        """Adds keys as their deadlines pass, until the queue is shut down."""
        while not self._closed:
            self._changed.clear()
            wait = self.add_due()
            try:
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def shut_down(self, takers: int) -> None:
        """Nothing more is handed out; `takers` waiting calls of `get` return None."""
        self._closed = True
        self._changed.set()
        for _ in range(takers):
            self._ready.put_nowait(None)

    @property
    def depth(self) -> int:
        """Keys that wait to be taken."""
        return len(self._dirty)

    @property
    def oldest_seconds(self) -> float:
        """How long the key that waits longest has waited."""
        return self._clock() - next(iter(self._dirty.values())) if self._dirty else 0.0
