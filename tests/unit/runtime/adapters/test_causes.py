"""What a real client says of a peer that is not there, and what is told of it."""

import aiohttp
import pytest

from sluice_runtime.adapters.causes import cause

REAL_TIME = True


async def test_nobody_is_told_of_objects_in_memory() -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError) as failure:
            await session.get("http://127.0.0.1:9/")
    assert "Connect call failed" in cause(failure.value)
    assert "object at 0x" not in cause(failure.value)
    assert "127.0.0.1" in cause(failure.value)


def test_who_says_nothing_is_told_by_name() -> None:
    assert cause(TimeoutError()) == "TimeoutError"
    assert cause(ValueError("why")) == "why"
