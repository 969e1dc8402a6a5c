"""The ways in which an authorized user stops a feed."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

import aiohttp

from bench.stop_jobs import TOKEN, StopJob
from sluice_contract import identity

PAUSED_SYMBOL = 0  # the position in the job's symbols of the one that pausedSymbols pauses
_HTTP_SECONDS = 20.0


class Confirmation(Enum):
    """The ways in which a user learns that a stop has taken effect."""

    PAUSED_CONDITION = "the condition Paused is True"
    PAUSED_SYMBOL = "status.stream.symbols.paused counts the symbol"
    END_OF_POD = "the heartbeat says stopped, or the pod is gone"
    RESPONSE = "the response is 200"


@dataclass(frozen=True)
class SentRequest:
    """A stop that was sent. Times are Unix seconds; `generation` is the one that it made, or 0 if it makes none."""

    sent_at: float
    answered_at: float
    generation: int


@dataclass(frozen=True)
class StopWay:
    """One way to stop a feed. The job is created by `kubectl apply` with `apply_arguments`."""

    name: str
    send: Callable[[StopJob], Awaitable[int]]
    confirmation: Confirmation = Confirmation.PAUSED_CONDITION
    apply_arguments: tuple[str, ...] = ("--server-side",)

    @property
    def stops_one_symbol(self) -> bool:
        """Return whether the connection and the other symbols keep streaming."""
        return self.confirmation is Confirmation.PAUSED_SYMBOL

    async def request(self, job: StopJob) -> SentRequest:
        """Send the stop."""
        sent_at = time.time()
        generation = await self.send(job)
        return SentRequest(sent_at=sent_at, answered_at=time.time(), generation=generation)


@dataclass(frozen=True)
class PlannedStop:
    """A job that streams, and the way in which it is to be stopped."""

    job: StopJob
    way: StopWay


async def _disable_by_merge_patch(job: StopJob) -> int:
    return await job.patch({"spec": {"enabled": False}})


async def _disable_by_client_side_apply(job: StopJob) -> int:
    return await job.apply(enabled=False)


async def _disable_by_server_side_apply(job: StopJob) -> int:
    return await job.apply("--server-side", enabled=False)


async def _pause(job: StopJob) -> int:
    return await job.patch({"spec": {"pause": {"reason": "bench"}}})


async def _pause_one_symbol(job: StopJob) -> int:
    paused = [{"symbol": job.symbols[PAUSED_SYMBOL], "reason": "bench"}]
    return await job.patch({"spec": {"pausedSymbols": paused}})


async def _delete(job: StopJob) -> int:
    await job.cluster.api.delete(job.path, {})
    return 0


async def _stop_over_http(job: StopJob) -> int:
    url = f"http://{job.pod['status']['podIP']}:{identity.HTTP_PORT}/runtime/ingest/stop"
    timeout = aiohttp.ClientTimeout(total=_HTTP_SECONDS)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(url, headers={"Authorization": f"Bearer {TOKEN}"}) as response,
    ):
        assert response.status == 200, f"the pod answered {response.status}: {await response.text()}"
    return 0


WAYS = (
    StopWay("enabled: false, merge patch", _disable_by_merge_patch),
    StopWay("enabled: false, client-side apply", _disable_by_client_side_apply, apply_arguments=()),
    StopWay("enabled: false, server-side apply", _disable_by_server_side_apply),
    StopWay("pause", _pause),
    StopWay("pausedSymbols", _pause_one_symbol, Confirmation.PAUSED_SYMBOL),
    StopWay("deletion", _delete, Confirmation.END_OF_POD),
    StopWay("POST /runtime/ingest/stop", _stop_over_http, Confirmation.RESPONSE),
)
