"""How much of the machine's CPU time is not used, from /proc/stat."""

from __future__ import annotations

import time
from pathlib import Path

_STAT = Path("/proc/stat")
_IDLE = slice(3, 5)  # idle and iowait
_ALL = slice(8)  # user to steal; user includes the time of guests
_WINDOW_SECONDS = 2.0


def wait_for_idle_time(least_share: float, most_seconds: float) -> None:
    """Wait until at least this share of the CPU time of all cores was idle over 2 s.

    Raises:
        RuntimeError: it was not within `most_seconds`.
    """
    deadline = time.monotonic() + most_seconds
    before = _times()
    while True:
        time.sleep(_WINDOW_SECONDS)
        after = _times()
        if (share := idle_share(before, after)) >= least_share:
            return
        if time.monotonic() >= deadline:
            raise RuntimeError(
                f"only {share:.0%} of the machine's CPU time is idle, and this bench needs {least_share:.0%}; "
                "stop what else runs, and run the bench again"
            )
        before = after


def idle_share(before: str, after: str) -> float:
    """Return the share of idle CPU time, from 0 to 1, between two readings of the first line of /proc/stat."""
    earlier, later = (list(map(int, each.split()[1:])) for each in (before, after))
    spent = [new - old for old, new in zip(earlier, later, strict=True)]
    total = sum(spent[_ALL])
    return sum(spent[_IDLE]) / total if total else 0.0


def _times() -> str:
    return _STAT.read_text().splitlines()[0]
