"""One consumer of a stream in its own process: `python -m bench.consumers NAME URL CHANNEL...`.

Each consumer keeps the newest quote of every symbol, and with channel trades the newest trade. Each input line is a
number of quotes. Once the consumer has received as many, it answers with one line: the number of quotes received, and
the CPU seconds that the whole process has used.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sluice_contract.alpaca import AlpacaEngine
    from sluice_contract.spec import Channel
    from sluice_runtime.ports import Listener, Source

SYMBOLS = tuple(f"S{number:02d}" for number in range(30))
TAPE_QUOTES = 20_000
_POLL_SECONDS = 0.01

Channels = Sequence["Channel"]
Count = Callable[[], int]


async def _answering(streaming: Coroutine[Any, Any, None], count: Count) -> None:
    """Answer each line of standard input until its end."""
    task = asyncio.create_task(streaming)
    questions = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(questions), sys.stdin)
    while line := await questions.readline():
        while count() < int(line):
            await asyncio.sleep(_POLL_SECONDS)
            _require_running(task)
        print(json.dumps([count(), time.process_time()]), flush=True)


def _require_running(task: asyncio.Task[None]) -> None:
    if task.done():
        raise RuntimeError("the stream ended") from task.exception()


async def alpaca_py(url: str, channels: Channels, *, raw: bool) -> None:
    """Consume the stream with alpaca-py and the shortest possible handler."""
    warnings.simplefilter("ignore", DeprecationWarning)
    from alpaca.data.live import StockDataStream

    stream = StockDataStream("key", "secret", raw_data=raw, url_override=url)
    latest: dict[str, Any] = {}
    last_trades: dict[str, Any] = {}
    count = 0

    async def on_trade(trade: Any) -> None:
        last_trades[trade["S"] if raw else trade.symbol] = trade

    async def on_quote(quote: Any) -> None:
        nonlocal count
        count += 1
        latest[quote["S"] if raw else quote.symbol] = quote

    stream.subscribe_quotes(on_quote, *SYMBOLS)
    if "trades" in channels:
        stream.subscribe_trades(on_trade, *SYMBOLS)
    # alpaca-py's `run` does the same with asyncio.run.
    await _answering(stream._run_forever(), lambda: count)


async def ours(url: str, channels: Channels, engine: AlpacaEngine) -> None:
    """Consume the stream with the runtime's client, its state and its coalescer, wired as in the pod."""
    from bench.parts import alpaca, runtime_state

    kept = runtime_state(SYMBOLS, channels)
    with tempfile.TemporaryDirectory() as folder:
        source = alpaca(url, Path(folder), engine)
        await _answering(_follow(source, kept.stream, channels), lambda: kept.market.coalescer.received)


async def _follow(source: Source, listener: Listener, channels: Channels) -> None:
    async with source.connect(listener) as connection:
        reading = asyncio.ensure_future(connection.run())
        await connection.set_subscriptions(frozenset(SYMBOLS), frozenset(channels))
        await reading


async def limit(url: str, channels: Channels) -> None:
    """Read the same transport with as little as possible between it and the decoder."""
    from bench.fastest_client import FastestClient, subscribe

    client = FastestClient(with_trades="trades" in channels)

    async def stream() -> None:
        writer = await subscribe(client, url, channels, SYMBOLS)
        await client.ended.wait()
        writer.close()

    await _answering(stream(), lambda: client.count)


CONSUMERS: dict[str, Callable[[str, Channels], Awaitable[None]]] = {
    "alpaca-py": lambda url, channels: alpaca_py(url, channels, raw=False),
    "alpaca-py raw": lambda url, channels: alpaca_py(url, channels, raw=True),
    "engine sdk": lambda url, channels: ours(url, channels, "sdk"),
    "native": lambda url, channels: ours(url, channels, "native"),
    "limit": limit,
}


async def _main(name: str, url: str, *channels: Channel) -> None:
    await CONSUMERS[name](url, channels)
    # Exit here instead of returning: alpaca-py's stream does not end when its task is cancelled.
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))  # type: ignore[arg-type]  # the channels are texts
