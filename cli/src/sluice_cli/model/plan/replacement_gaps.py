"""How long a stream has no data while its pod is replaced, by what the jobs of the cluster have reported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..fields import instant, objects, text

_CAUSE = "restart"


def replacement_seconds(live: dict[str, Any], others: Iterable[dict[str, Any]]) -> int | None:
    """Return the median of the job's own gaps by restarts, or of those of other jobs; None if there was none yet."""
    own = sorted(_restart_seconds(live))
    known = own or sorted(each for other in others for each in _restart_seconds(other))
    return max(1, round(known[len(known) // 2])) if known else None


def _restart_seconds(job: dict[str, Any]) -> Iterator[float]:
    for each in objects(job, "status", "stream", "gaps"):
        since, until = instant(each, "from"), instant(each, "to")
        if text(each, "cause") == _CAUSE and since is not None and until is not None:
            yield (until - since).total_seconds()
