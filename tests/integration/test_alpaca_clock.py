"""What Alpaca's responses say about its time, with both engines."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest

from sluice_contract.alpaca import AlpacaEngine
from sluice_simulators.alpaca import Account, AlpacaServer
from support.alpaca_provider import SECRET, mount, source, streaming
from support.fake_listener import FakeListener


@pytest.mark.parametrize("engine", get_args(AlpacaEngine))
async def test_the_response_that_opens_the_stream_states_the_provider_s_time(
    tmp_path: Path, engine: AlpacaEngine
) -> None:
    listener = FakeListener()
    async with AlpacaServer([Account("key", SECRET)]) as server:
        client = source(server.url(), mount(tmp_path, "key", SECRET), engine=engine)
        async with streaming(client, listener, "AAPL"):
            [reading] = listener.clock_readings
            assert abs((datetime.now(UTC) - reading.earliest).total_seconds()) < 10
            assert (reading.latest - reading.earliest).total_seconds() == 1
            assert reading.sent_at <= reading.received_at <= asyncio.get_running_loop().time()
