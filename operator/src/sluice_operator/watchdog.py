"""Checks of the event loop and of kopf's watchers. If a check fails, the process is restarted and lists everything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from sluice_contract import identity

from .resync import WatchBroken

LAG_PERIOD_SECONDS: Final = 1.0
LAG_LIMIT_SECONDS: Final = 5.0
WATCHERS_PERIOD_SECONDS: Final = 30.0
_WATCHED: Final[tuple[str, ...]] = (f"watcher for {identity.PLURAL}.", "watcher for pods.")
# The API server may not serve these kinds, so only a watcher that has run can be missing.
_WATCHED_IF_SERVED: Final = (f"watcher for {identity.PAUSES}.", f"watcher for {identity.CLUSTER_PAUSES}.")


class LoopLagMonitor:
    """A monitor that measures how late the event loop runs its tasks."""

    def __init__(self, clock: Callable[[], float], report_lag: Callable[[float], None]) -> None:
        self._clock = clock
        self._report_lag = report_lag
        self._beat_at = clock()

    async def run(self) -> None:
        """Measure the delay of the event loop once a second, forever."""
        while True:
            self._beat_at = self._clock()
            await asyncio.sleep(LAG_PERIOD_SECONDS)
            self._report_lag(max(0.0, self._clock() - self._beat_at - LAG_PERIOD_SECONDS))

    def loop_is_on_time(self) -> bool:
        """Return whether the event loop is on time: the measurement in progress is less than 5 s late."""
        return self._clock() - self._beat_at < LAG_PERIOD_SECONDS + LAG_LIMIT_SECONDS


async def raise_when_kopf_watcher_is_missing(task_names: Callable[[], Iterable[str]]) -> None:
    """Check every 30 s that kopf's watchers of jobs, pods and pauses run, because kopf does not restart them.

    Raises `WatchBroken` if one is missing in two checks in a row.
    """
    absent, expected = 0, _WATCHED
    while True:
        await asyncio.sleep(WATCHERS_PERIOD_SECONDS)
        running = list(task_names())
        missing = missing_kopf_watchers(running, expected)
        absent = absent + 1 if missing else 0
        if absent > 1:
            raise WatchBroken(f"kopf no longer runs {', '.join(missing)}")
        not_seen = missing_kopf_watchers(running, _WATCHED_IF_SERVED)
        expected += tuple(each for each in _WATCHED_IF_SERVED if each not in (*not_seen, *expected))


def missing_kopf_watchers(names: Iterable[str], expected: Iterable[str] = _WATCHED) -> list[str]:
    """Return the names of kopf's watchers that are not among the names of the running tasks."""
    running = tuple(names)
    return [prefix for prefix in expected if not any(name.startswith(prefix) for name in running)]
