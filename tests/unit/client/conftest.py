"""Coroutine tests run in virtual time, except in modules that set REAL_TIME."""

import asyncio
from collections.abc import Callable

import pytest

from support.virtual_time import VirtualTimeLoop


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    if getattr(getattr(item, "module", None), "REAL_TIME", False):
        return {"real": asyncio.new_event_loop}
    return {"virtual": VirtualTimeLoop}
