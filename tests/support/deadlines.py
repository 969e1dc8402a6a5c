"""Deadlines of the tests: one factor for all of them, and a record of how much of each was needed.

`SLUICE_TEST_SLOWNESS` multiplies every deadline; 1 if it is not set. Set it to 3 on a machine that is three times as
slow. Every wait in real time has a deadline from this module (tests/architecture/test_deadlines.py).

Each deadline that was met is appended to the file that `SLUICE_TEST_WAITS` names; `make test-waits` prints the worst.
Where it is not set, nothing is recorded.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

SLOWNESS_VARIABLE = "SLUICE_TEST_SLOWNESS"
WAITS_VARIABLE = "SLUICE_TEST_WAITS"


def read_slowness(value: str) -> float:
    """Return the factor of all deadlines; an empty value is 1.

    Raises:
        ValueError: it is not a number of at least 1.
    """
    try:
        factor = float(value or 1)
    except ValueError:
        factor = 0.0
    if not factor >= 1:
        raise ValueError(f'{SLOWNESS_VARIABLE} is "{value}"; set it to a number of at least 1, such as 3')
    return factor


SLOWNESS = read_slowness(os.environ.get(SLOWNESS_VARIABLE, ""))


def scaled(seconds: float) -> float:
    """Return the seconds times SLOWNESS, for the `timeout` of a function that waits by itself."""
    return seconds * SLOWNESS


class Deadline:
    """A limit of `seconds` times SLOWNESS, which begins when it is created."""

    def __init__(self, seconds: float) -> None:
        """`seconds` is the limit on a machine of ordinary speed."""
        self.seconds = scaled(seconds)
        self._began = time.monotonic()

    @property
    def elapsed(self) -> float:
        """The seconds since the deadline was created."""
        return time.monotonic() - self._began

    @property
    def has_passed(self) -> bool:
        """Whether the limit is exceeded."""
        return self.elapsed > self.seconds

    def record(self, what: str) -> None:
        """Record that `what` has happened now, if the waits of this run are recorded."""
        if path := os.environ.get(WAITS_VARIABLE):
            test = os.environ.get("PYTEST_CURRENT_TEST", "")
            found = {"test": test, "what": what, "waited": round(self.elapsed, 3), "allowed": self.seconds}
            with Path(path).open("a") as file:  # one write in append mode: the workers of a run share the file
                file.write(json.dumps(found) + "\n")


@asynccontextmanager
async def within(seconds: float, what: str = "block") -> AsyncIterator[None]:
    """Cancel the block and raise TimeoutError if it takes longer."""
    deadline = Deadline(seconds)
    async with asyncio.timeout(deadline.seconds):
        yield
    deadline.record(what)


class Record(Protocol):
    """The record of a simulator, or another object that a task waits for."""

    async def wait_until(self, holds: Callable[[Any], object], timeout: float | None) -> object:
        """Wait until `holds(record)` is true."""


async def wait_until(record: Record, holds: Callable[[Any], object], seconds: float = 15.0) -> None:
    """Wait until `holds(record)` is true; raise TimeoutError if it is not in time."""
    async with within(seconds, "wait_until"):
        await record.wait_until(holds, None)


async def wait_for(awaitable: Awaitable[T], seconds: float) -> T:
    """Return the result of the awaitable; cancel it and raise TimeoutError if it takes longer."""
    async with within(seconds, "wait_for"):
        return await awaitable


@contextmanager
def assert_takes_at_most(seconds: float) -> Iterator[None]:
    """Assert, at the end of the block, that it took no longer. The block is not interrupted."""
    deadline = Deadline(seconds)
    yield
    taken = deadline.elapsed
    assert taken <= deadline.seconds, f"this took {taken:.1f} s; {deadline.seconds:.1f} s are allowed"
    deadline.record("assert_takes_at_most")
