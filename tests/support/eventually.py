"""Wait, in real time, for something that happens in another task or process."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast, overload

from support.deadlines import Deadline

T = TypeVar("T")


@overload
async def eventually(holds: Callable[[], Awaitable[T | None]], seconds: float = 20.0) -> T: ...


@overload
async def eventually(holds: Callable[[], T | None], seconds: float = 20.0) -> T: ...


async def eventually(holds: Callable[[], T | Awaitable[T | None] | None], seconds: float = 20.0) -> T:
    """Call `holds` repeatedly until it returns a true value or none of its assertions fails; return its result.

    Raises:
        AssertionError: this did not happen in time; the message has the last result or failure.
    """
    deadline = Deadline(seconds)
    pause = 0.005
    while True:
        failure: AssertionError | None = None
        answer: T | None = None
        try:
            found = holds()
            answer = await cast("Awaitable[T | None]", found) if inspect.isawaitable(found) else found
            if answer:
                deadline.record("eventually")
                return answer
        except AssertionError as error:
            failure = error
        if deadline.has_passed:
            raise AssertionError(f"not within {deadline.seconds:g} s: {failure or repr(answer)}")
        await asyncio.sleep(pause)
        pause = min(0.1, pause * 1.5)
