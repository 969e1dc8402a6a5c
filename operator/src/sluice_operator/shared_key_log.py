"""Log lines about keys of providers that several namespaces use."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from .domain.objects import Key

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 60.0
_MOST_REMEMBERED: Final = 10_000


class SharedKeyLog:
    """Logs that namespaces share a key, unless each of them was named in such a line within the last minute.

    So a tenant that often reports another key causes at most one line a minute for each of its namespaces, and one for
    each namespace whose key it reports.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._logged_at: dict[str, float] = {}

    def log_unless_recent(self, jobs: tuple[Key, ...]) -> None:
        """Log a line about a key that these jobs use, one of each namespace."""
        now = self._monotonic()
        if all(now - self._logged_at.get(namespace, float("-inf")) < EVERY_SECONDS for namespace, _ in jobs):
            return
        if len(self._logged_at) > _MOST_REMEMBERED:
            self._logged_at.clear()
        self._logged_at |= {namespace: now for namespace, _ in jobs}
        log.warning(
            "the namespaces %s use one key of their provider, which allows one connection; give each its own key pair",
            ", ".join(sorted(namespace for namespace, _ in jobs)),
            extra={"jobs": sorted("/".join(key) for key in jobs)},
        )
