"""Coroutine tests run in virtual time, except in modules that set REAL_TIME. The stream's transitions are checked."""

import asyncio
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from sluice_contract.status import StreamState
from sluice_contract.stream_states import TRANSITION_CAUSES
from sluice_runtime.state.stream_state import StreamListener
from support.virtual_time import VirtualTimeLoop


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    if getattr(getattr(item, "module", None), "REAL_TIME", False):
        return {"real": asyncio.new_event_loop}
    return {"virtual": VirtualTimeLoop}


@pytest.fixture(autouse=True)
def stream_transitions(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[tuple[StreamState, StreamState]]]:
    """Record the transitions of the stream's state in each test, and compare them with the table of the contract.

    Tests in modules that call `on_state` themselves can begin in any state, and are not compared.
    """
    found: list[tuple[StreamState, StreamState]] = []
    original = StreamListener.on_state

    def on_state(self: StreamListener, state: StreamState) -> None:
        before = self.state
        original(self, state)
        if self.state != before:
            found.append((before, self.state))

    monkeypatch.setattr(StreamListener, "on_state", on_state)
    yield found
    if not _sets_states(request.path):
        assert [pair for pair in found if pair not in TRANSITION_CAUSES] == []


@cache
def _sets_states(module: Path) -> bool:
    return ".on_state(" in module.read_text()
