"""A cluster and an operator for each test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from support.virtual_time import VirtualTimeLoop

from .world import World


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run the tests in virtual time, except in modules that set REAL_TIME."""
    if getattr(getattr(item, "module", None), "REAL_TIME", False):
        return {"real": asyncio.new_event_loop}
    return {"virtual": VirtualTimeLoop}


@pytest.fixture
def world() -> World:
    """An empty cluster with an operator."""
    return World()
