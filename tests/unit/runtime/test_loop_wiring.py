from dataclasses import fields
from typing import Any

import pytest

from sluice_runtime.loop_wiring import create_document_store, stream_parts, supervisor_parts
from sluice_runtime.state.runtime_state import RuntimeState
from support.fake_sink import FakeSink
from support.runtime_fakes import runtime_state


@pytest.fixture
async def state() -> RuntimeState:
    return runtime_state()


async def test_documents_name_their_source_and_the_process_that_wrote_them(state: RuntimeState) -> None:
    state.process.raise_epoch(9)
    origin = create_document_store(state, FakeSink(), "fake:iex").origin
    assert (origin.source, origin.job, origin.session_id, origin.epoch) == ("fake:iex", "acme/us", "5e55", 9)


async def test_loops_share_the_parts_of_one_state(state: RuntimeState) -> None:
    stream, supervisor = stream_parts(state), supervisor_parts(state)
    assert stream.stream is supervisor.stream is state.stream
    assert stream.instruments.transitions is state.transitions


async def test_no_loop_gets_the_whole_state(state: RuntimeState) -> None:
    parts: list[Any] = [stream_parts(state), supervisor_parts(state), create_document_store(state, FakeSink(), "x")]
    assert not [each for part in parts for each in fields(part) if getattr(part, each.name) is state]
