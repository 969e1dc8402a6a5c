"""Requests that are sent again on another connection when the answer is late, without giving up the first one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from ..ports import ClusterError, Conflict

T = TypeVar("T")

MOST_ATTEMPTS: Final = 3


async def send_hedged(send: Callable[[], Awaitable[T]], patience_seconds: float) -> T:
    """Return the first answer of up to three attempts. The caller limits the time of all of them.

    The second attempt starts after `patience_seconds`, the third after twice as long again. A slow server answers the
    first attempt; a connection that is broken without a sign keeps only the attempts that use it. `send` must be a
    read, or a write of one resourceVersion, which the API server accepts once.

    Raises `ClusterError` if an attempt fails and no other is under way. A `Conflict` may be due to another attempt,
    whose answer then counts.
    """
    attempts: set[asyncio.Task[T]] = set()
    try:
        for number in range(MOST_ATTEMPTS):
            attempts.add(asyncio.create_task(_as_coroutine(send)))
            is_last = number == MOST_ATTEMPTS - 1
            patience = None if is_last else patience_seconds * 2.0**number
            answer = await _first_answer(attempts, patience)
            if answer is not None:
                return answer.result()
        raise AssertionError("the last attempt has neither an answer nor an error")
    finally:
        for attempt in attempts:
            attempt.cancel()
        await asyncio.gather(*attempts, return_exceptions=True)


async def _first_answer(attempts: set[asyncio.Task[T]], patience: float | None) -> asyncio.Task[T] | None:
    """Wait until an attempt succeeds or all have failed, and return it. Return None after `patience` seconds."""
    loop = asyncio.get_running_loop()
    ends_at = None if patience is None else loop.time() + patience
    pending = {attempt for attempt in attempts if not attempt.done()}
    while pending:
        left = None if ends_at is None else max(0.0, ends_at - loop.time())
        done, pending = await asyncio.wait(pending, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            return None
        for attempt in done:
            if not isinstance(attempt.exception(), ClusterError) or not pending:
                return attempt
    return _last_failure(attempts)


def _last_failure(attempts: set[asyncio.Task[T]]) -> asyncio.Task[T]:
    """Return a failed attempt: one with another error than `Conflict`, if there is one."""
    return min(attempts, key=lambda attempt: isinstance(attempt.exception(), Conflict))


async def _as_coroutine(send: Callable[[], Awaitable[T]]) -> T:
    return await send()
