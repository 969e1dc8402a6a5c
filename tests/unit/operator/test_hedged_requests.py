"""Requests that are sent again on another connection when the answer is late, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from sluice_operator.adapters.hedged_requests import send_hedged
from sluice_operator.ports import ClusterError, Conflict, Unavailable
from support import virtual_time

NEVER = 1e6


class Server:
    """Answers each attempt with its number after its seconds, or raises its error then."""

    def __init__(self, *answers: tuple[float, ClusterError | None]) -> None:
        self.sent_at: list[float] = []
        self.cut_off = 0
        self._answers = answers

    async def send(self) -> int:
        number = len(self.sent_at)
        self.sent_at.append(virtual_time.seconds())
        seconds, error = self._answers[number]
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.cut_off += 1
            raise
        if error is not None:
            raise error
        return number


async def test_a_prompt_answer_needs_one_attempt() -> None:
    server = Server((1.4, None))
    assert await send_hedged(server.send, 1.5) == 0
    assert server.sent_at == [0]


async def test_a_slow_server_answers_the_first_attempt_and_the_others_end() -> None:
    server = Server((5, None), (5, None), (5, None))
    assert await send_hedged(server.send, 1.5) == 0
    assert virtual_time.seconds() == 5
    assert (server.sent_at, server.cut_off) == ([0, 1.5, 4.5], 2)


async def test_a_broken_connection_delays_the_answer_by_the_patience() -> None:
    server = Server((NEVER, None), (0.1, None))
    assert await send_hedged(server.send, 1.5) == 1
    assert virtual_time.seconds() == pytest.approx(1.6)
    assert server.cut_off == 1


async def test_a_failure_is_raised_at_once_if_no_other_attempt_is_under_way() -> None:
    with pytest.raises(Unavailable, match="refused"):
        await send_hedged(Server((1, Unavailable("refused"))).send, 1.5)
    assert virtual_time.seconds() == 1


async def test_a_conflict_with_another_attempt_is_not_the_answer() -> None:
    server = Server((5, None), (0.1, Conflict("changed")), (0.1, Conflict("changed")))
    assert await send_hedged(server.send, 1.5) == 0


async def test_without_an_answer_an_error_other_than_a_conflict_is_raised() -> None:
    server = Server((3, Unavailable("lost")), (1, Conflict("changed")))
    with pytest.raises(Unavailable, match="lost"):
        await send_hedged(server.send, 1.5)


@pytest.mark.parametrize("seconds", [1.0, 20.0])
async def test_attempts_end_when_the_caller_gives_up(seconds: float) -> None:
    server = Server(*[(NEVER, None)] * 3)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            await send_hedged(server.send, 1.5)
    assert server.cut_off == len(server.sent_at) == (1 if seconds < 1.5 else 3)


async def test_an_unexpected_error_is_raised_at_once() -> None:
    async def fail() -> None:
        raise RuntimeError("a bug")

    send: Callable[[], Awaitable[None]] = fail
    with pytest.raises(RuntimeError, match="a bug"):
        await send_hedged(send, 1.5)
