"""Creates what reads the pause objects in a pod."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from sluice_contract.identity import CLUSTER_PAUSES, PAUSES
from sluice_contract.providers import feed_of_spec

from .adapters.api_session import ApiServer, ApiSession
from .adapters.pause_watch import PauseWatch, ReadPause
from .adapters.stored_pauses import StoredPausesFile
from .domain.backoff import Backoff
from .domain.pause_objects import pause_of_feed, pause_of_job
from .loops.pause_cache import PauseCache
from .settings import Settings
from .state.runtime_state import RuntimeState

_FILE_NAME = "pause_objects.json"  # in the directory of the state that outlives the process


class PodPauses:
    """The pause objects in a pod. Until they have been read for the first time, the job does not stream."""

    def __init__(self, settings: Settings, runtime: RuntimeState) -> None:
        """Restore the pauses that an earlier process of this pod stored."""
        # A session of its own: each watch keeps one of its connections.
        self._session = session = ApiSession(ApiServer(url=settings.api_url))
        job, states = settings.job, runtime.pauses
        cache = PauseCache(states, StoredPausesFile(settings.state_dir / _FILE_NAME, job.uid))
        cache.restore()
        # What this process streams, even if the spec has changed and the operator has not replaced the pod yet.
        of_feed = partial(pause_of_feed, provider=job.spec.provider, feed=feed_of_spec(job.spec))
        of_job = partial(pause_of_job, job=job.name)
        kinds: tuple[tuple[str, ReadPause], ...] = (
            (CLUSTER_PAUSES, of_feed),
            (f"namespaces/{job.namespace}/{PAUSES}", of_job),
        )
        watches = [
            PauseWatch(session, path, read_pause, states, Backoff(0.5, 10.0, random.uniform))
            for path, read_pause in kinds
        ]
        self.loops: list[Callable[[], Coroutine[Any, Any, None]]] = [*(watch.run for watch in watches), cache.run]

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()
