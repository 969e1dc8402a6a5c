"""The relay and alpaca-py's streams, unchanged but for their address, each in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec

from sluice_relay.clients import Client
from support.deadlines import wait_for
from support.relay_source import CLIENT, Served, quote, served

READER = Path(__file__).resolve().parents[1] / "support/quote_reader.py"
SECONDS = 6.0


@contextlib.asynccontextmanager
async def publishing(relay: Served, *symbols: str, per_second: int) -> AsyncIterator[None]:
    """Publish quotes of the symbols in turn, stamped now."""

    async def publish() -> None:
        began, sent = time.monotonic(), 0
        while True:
            await asyncio.sleep(0.005)
            due = int((time.monotonic() - began) * per_second)
            now = time.time_ns()
            relay.source.send(*(quote(symbols[number % len(symbols)], ts=now) for number in range(sent, due)))
            sent = due

    task = asyncio.create_task(publish())
    try:
        yield
    finally:
        task.cancel()


async def read(url: str, client: Client, *symbols: str, handler_seconds: float = 0.0, max_queue: int = 16) -> Any:
    """Run a strategy, and return what it printed."""
    options = {"symbols": symbols, "handler_seconds": handler_seconds, "seconds": SECONDS}
    options["websocket"] = {"max_queue": max_queue}
    arguments = ("-P", str(READER), url, client.key, client.secret, json.dumps(options))
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
    printed, _ = await wait_for(process.communicate(), 60)
    return json.loads(printed)


async def test_ten_strategies_with_one_key_each_read_the_same_feed() -> None:
    clients = [msgspec.structs.replace(CLIENT, key=f"strategy-{number}") for number in range(3)]
    async with served(*clients) as relay, publishing(relay, "SPY", "BRK.B", "BTC/USD", per_second=300):
        found = await asyncio.gather(
            read(relay.url(), clients[0], "SPY", "BRK.B"),
            read(relay.url(), clients[1], "*"),
            read(relay.url("/v1beta3/crypto/us"), clients[2], "BTC/USD"),
        )
    assert [set(each["symbols"]) for each in found] == [{"SPY", "BRK.B"}, {"SPY", "BRK.B"}, {"BTC/USD"}]
    assert all(each["quotes"] > 50 for each in found)


async def test_a_handler_that_takes_20_ms_gets_recent_quotes_and_slows_no_other() -> None:
    slow, fast = (msgspec.structs.replace(CLIENT, key=key) for key in ("slow", "fast"))
    async with served(slow, fast) as relay, publishing(relay, "SPY", "BRK.B", per_second=1000):
        of_slow, of_fast = await asyncio.gather(
            read(relay.url(), slow, "SPY", "BRK.B", handler_seconds=0.02),
            read(relay.url(), fast, "SPY", "BRK.B"),
        )
    # 16 frames wait in the client's queue, and each has at most one quote of each of the two symbols.
    assert of_slow["p99"] < 2 * 20 * 2 * 0.02
    assert of_fast["quotes"] > 5 * of_slow["quotes"]
    assert of_fast["p50"] < of_slow["p50"]
