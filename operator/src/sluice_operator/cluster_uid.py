"""Reads the UID of the cluster, which the ingest pods write into their heartbeats."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from .ports import Cluster, ClusterError, Unavailable, seconds_until_retry

log = logging.getLogger(__name__)

_ATTEMPTS: Final = 3
_RETRY_SECONDS: Final = 2.0


async def read_cluster_uid_or_empty(cluster: Cluster, sleep: Callable[[float], Awaitable[None]]) -> str:
    """Return the UID of the cluster; an empty text if it cannot be read, which is logged and keeps no job from running.

    Without it, a new job waits up to three heartbeats before it replaces the heartbeat of a deleted job of its name.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return await cluster.read_cluster_uid()
        except ClusterError as error:
            if isinstance(error, Unavailable) and attempt < _ATTEMPTS:
                await sleep(seconds_until_retry(error, _RETRY_SECONDS))
                continue
            log.warning(
                "the UID of the cluster is unknown (%s); let the operator get the namespace kube-system, as "
                "ClusterRole sluice-operator-read does, and restart it",
                error,
            )
            break
    return ""
