"""The log of a connection to Alpaca, at levels below those for normal operation."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import get_args

import pytest

from sluice_contract.alpaca import AlpacaEngine
from sluice_simulators.alpaca import Account, AlpacaServer
from support.alpaca_provider import SECRET, mount, source, streaming
from support.fake_listener import FakeListener


@pytest.mark.parametrize("engine", get_args(AlpacaEngine))
async def test_no_part_of_the_secret_is_logged_at_any_level(
    engine: AlpacaEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    mounted = mount(tmp_path, "key", SECRET)
    async with (
        AlpacaServer([Account("key", SECRET)]) as server,
        streaming(source(server.url(), mounted, engine=engine), FakeListener(), "AAPL"),
    ):
        pass
    logged = caplog.text.lower()
    for part in (SECRET[n : n + 4] for n in range(len(SECRET) - 3)):
        assert part not in logged
        assert part.encode().hex() not in logged.replace(" ", "")
