"""The tests of this folder run in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from support.virtual_time import VirtualTimeLoop


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run the tests in virtual time."""
    return {"virtual": VirtualTimeLoop}
