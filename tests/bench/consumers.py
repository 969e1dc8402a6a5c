"""One consumer of a stream, alone in its process: `python -m bench.consumers NAME URL`; prints what it cost.

Each keeps the newest quote of every symbol. What one costs is the CPU time of its whole process from the end of the
first pass of the tape (the server then has all frames ready) until so many quotes later.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sluice_contract.spec import AlpacaEngine

SYMBOLS = tuple(f"S{number:02d}" for number in range(30))
TAPE_QUOTES = 20_000
SECONDS = 3.0

Count = Callable[[], int]


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def _measured(streaming: Coroutine[Any, Any, None], count: Count) -> dict[str, float]:
    """Waits for the end of the first pass, then watches for SECONDS."""
    task = asyncio.create_task(streaming)
    while count() < TAPE_QUOTES:
        await _asleep(task)
    quotes, cpu, began = count(), _cpu_seconds(), time.monotonic()
    while time.monotonic() - began < SECONDS:
        await _asleep(task)
    return {"quotes": count() - quotes, "cpu": _cpu_seconds() - cpu}


async def _asleep(task: asyncio.Task[None]) -> None:
    await asyncio.sleep(0.05)
    if task.done():
        raise RuntimeError("the stream ended") from task.exception()


async def alpaca_py(url: str, *, raw: bool) -> dict[str, float]:
    """alpaca-py's stream and the shortest handler there is."""
    warnings.simplefilter("ignore", DeprecationWarning)
    from alpaca.data.live import StockDataStream

    stream = StockDataStream("key", "secret", raw_data=raw, url_override=url)
    latest: dict[str, Any] = {}
    count = 0

    async def on_quote(quote: Any) -> None:
        nonlocal count
        count += 1
        latest[quote["S"] if raw else quote.symbol] = quote

    stream.subscribe_quotes(on_quote, *SYMBOLS)
    # `run` is asyncio.run of this.
    return await _measured(stream._run_forever(), lambda: count)


async def ours(url: str, engine: AlpacaEngine) -> dict[str, float]:
    """Our own client on one of its engines, the journal and the coalescer, wired as in the pod."""
    from bench.parts import alpaca, journal

    kept = journal(SYMBOLS)
    with tempfile.TemporaryDirectory() as folder:
        source = alpaca(url, Path(folder), engine)
        return await _measured(_follow(source, kept), lambda: kept.coalescer.received)


async def _follow(source: Any, listener: Any) -> None:
    async with source.connect(listener) as connection:
        reading = asyncio.ensure_future(connection.run())
        await connection.follow(frozenset(SYMBOLS), frozenset({"quotes"}))
        await reading


async def limit(url: str) -> dict[str, float]:
    """The same socket and the same typed decoding, and nothing else: no error is handled, nothing is kept."""
    import aiohttp
    import msgspec

    from sluice_runtime.adapters.alpaca_messages import QuoteMessage

    decoder = msgspec.msgpack.Decoder(list[QuoteMessage])
    count = 0

    async def stream() -> None:
        nonlocal count
        options: Any = {"headers": {"Content-Type": "application/msgpack"}, "heartbeat": 10.0, "max_msg_size": 8 << 20}
        async with aiohttp.ClientSession() as session, session.ws_connect(url, **options) as socket:
            for message in (
                {"action": "auth", "key": "key", "secret": "secret"},
                {"action": "subscribe", "quotes": SYMBOLS},
            ):
                await socket.receive()
                await socket.send_bytes(msgspec.msgpack.encode(message))
            await socket.receive()
            await socket.receive()
            while True:
                count += len(decoder.decode((await socket.receive()).data))

    return await _measured(stream(), lambda: count)


CONSUMERS: dict[str, Callable[[str], Awaitable[dict[str, float]]]] = {
    "alpaca-py": lambda url: alpaca_py(url, raw=False),
    "alpaca-py raw": lambda url: alpaca_py(url, raw=True),
    "engine sdk": lambda url: ours(url, "sdk"),
    "native": lambda url: ours(url, "native"),
    "limit": limit,
}


async def _main(name: str, url: str) -> None:
    print(json.dumps(await CONSUMERS[name](url)), flush=True)
    # Not a return: alpaca-py's stream does not end when its task is cancelled.
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
