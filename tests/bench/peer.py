"""A typical program without Sluice: alpaca-py with its models, Google's client, one loop.

It keeps the newest quote of each symbol, and calls `set` for each document that is due, under the limits of the pod:
`python -m bench.peer URL TENANT SYMBOLS [FLUSH_SECONDS]`. With FLUSH_SECONDS, it prints each write like the pod's log.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import warnings
from datetime import UTC, datetime
from typing import Any

warnings.simplefilter("ignore", DeprecationWarning)

from alpaca.data.live import StockDataStream  # noqa: E402
from google.cloud import firestore  # noqa: E402

FLUSH_SECONDS = 0.2
LEAST_SECONDS = 1.0
WRITES_PER_SECOND = 20.0
BURST = 40.0


async def run(url: str, tenant: str, symbols: list[str], flush_seconds: float | None = None) -> None:
    """Run until killed. With `flush_seconds`, each write is printed."""
    client = firestore.AsyncClient(project=os.environ["GOOGLE_CLOUD_PROJECT"])
    latest: dict[str, Any] = {}

    async def on_quote(quote: Any) -> None:
        latest[quote.symbol] = quote

    stream = StockDataStream("key", "secret", url_override=url)
    stream.subscribe_quotes(on_quote, *symbols)
    collection = client.collection(f"tenants/{tenant}/live_quotes")
    await asyncio.gather(stream._run_forever(), _flush(collection, latest, flush_seconds))


async def _flush(collection: Any, latest: dict[str, Any], flush_seconds: float | None) -> None:
    written: dict[str, float] = {}
    seq, tokens, refilled = 0, BURST, time.monotonic()
    while True:
        await asyncio.sleep(flush_seconds or FLUSH_SECONDS)
        now = time.monotonic()
        tokens, refilled = min(BURST, tokens + (now - refilled) * WRITES_PER_SECOND), now
        for symbol in sorted(latest, key=lambda each: written.get(each, 0.0)):
            if tokens < 1 or now - written.get(symbol, 0.0) < LEAST_SECONDS:
                continue
            tokens -= 1
            written[symbol] = now
            seq += 1
            quote = latest.pop(symbol)
            await collection.document(symbol).set(_document(quote, seq))
            if flush_seconds is not None:
                times = {"ts": datetime.now(UTC).isoformat(), "at": quote.timestamp.isoformat()}
                print(json.dumps({"message": "wrote a quote", **times}), flush=True)


def _document(quote: Any, seq: int) -> dict[str, Any]:
    return {
        "symbol": quote.symbol,
        "bid": quote.bid_price,
        "ask": quote.ask_price,
        "bid_size": quote.bid_size,
        "ask_size": quote.ask_size,
        "ts": quote.timestamp,
        "seq": seq,
        "written_at": datetime.now(UTC),
    }


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], sys.argv[2], sys.argv[3].split(","), *map(float, sys.argv[4:])))
