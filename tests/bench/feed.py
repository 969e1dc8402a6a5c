"""One IngestJob on a devcluster, its provider at full load, and a second watch of the job."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bench.watch_events import Watcher, running_watcher
from sluice_contract import identity
from sluice_devcluster.api import MERGE, ApiClient
from sluice_devcluster.layout import StateDirectory
from sluice_devcluster.quickstart import Quickstart
from support.site import Tenant, streaming_from
from support.upstream import Upstream

QUOTES_PER_SECOND = 5000
SYMBOLS = [f"S{number:02d}" for number in range(30)]
TENANT, JOB = "bench", "feed"
_JOBS = f"/apis/{identity.API_VERSION}/namespaces/{TENANT}/{identity.PLURAL}"
# A hundred writes a second, so that a write is due at any moment.
_LIMITS = {"minIntervalMilliseconds": 250, "writesPerSecond": 100, "burst": 100, "flushIntervalMilliseconds": 50}
_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Feed:
    """The job, with its watch and the provider's record."""

    site: Quickstart
    upstream: Upstream
    watcher: Watcher
    api: ApiClient

    async def enable(self, enabled: bool) -> int:
        """Set `enabled` with a patch; returns the generation that results."""
        changed = await self.api.patch(f"{_JOBS}/{JOB}", {"spec": {"enabled": enabled}}, MERGE)
        return int(changed["metadata"]["generation"])

    async def record(self) -> dict[str, Any]:
        """Return the provider's record of connections and requests."""
        return await asyncio.to_thread(self.upstream.record)

    async def until(self, holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Wait until `holds` returns true for the provider's record; returns the record.

        Raises:
            TimeoutError: it did not within 30 s.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not holds(record := await self.record()):
            if time.monotonic() > deadline:
                raise TimeoutError("the provider has not seen what was waited for")
            await asyncio.sleep(0.05)
        return record


@asynccontextmanager
async def running_feed(site: Quickstart, state: StateDirectory) -> AsyncIterator[Feed]:
    """Start the paused job with its pod, its provider and the watcher."""
    settings = state.load_settings()
    assert settings is not None
    with Upstream("--quotes-per-second", str(QUOTES_PER_SECOND), "--batch", "10", "--no-deflate") as upstream:
        await asyncio.to_thread(_apply, site, upstream)
        async with (
            ApiClient(settings.apiserver_port, state.pki, "admin") as api,
            running_watcher(state, _JOBS) as watcher,
        ):
            feed = Feed(site, upstream, watcher, api)
            await watcher.first(lambda seen: seen.stream.get("pause", {}).get("acknowledgedAt"))
            yield feed


def _apply(site: Quickstart, upstream: Upstream) -> None:
    tenant = Tenant(site.kubectl, site.emulator, TENANT)
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    tenant.apply(JOB, symbols=SYMBOLS, limits=_LIMITS, enabled=False, **streaming_from(upstream))
