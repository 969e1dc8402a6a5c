"""A typical program without Sluice: alpaca-py with its models, Google's client, one loop.

It keeps the newest quote of each symbol, and calls `set` for each document that is due, under the limits of the pod.
"""

from __future__ import annotations

import asyncio
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


async def run(url: str, tenant: str, symbols: list[str]) -> None:
    """Run until killed."""
    client = firestore.AsyncClient(project=os.environ["GOOGLE_CLOUD_PROJECT"])
    latest: dict[str, Any] = {}

    async def on_quote(quote: Any) -> None:
        latest[quote.symbol] = quote

    stream = StockDataStream("key", "secret", url_override=url)
    stream.subscribe_quotes(on_quote, *symbols)
    await asyncio.gather(stream._run_forever(), _flush(client.collection(f"tenants/{tenant}/live_quotes"), latest))


async def _flush(collection: Any, latest: dict[str, Any]) -> None:
    written: dict[str, float] = {}
    seq, tokens, refilled = 0, BURST, time.monotonic()
    while True:
        await asyncio.sleep(FLUSH_SECONDS)
        now = time.monotonic()
        tokens, refilled = min(BURST, tokens + (now - refilled) * WRITES_PER_SECOND), now
        for symbol in sorted(latest, key=lambda each: written.get(each, 0.0)):
            if tokens < 1 or now - written.get(symbol, 0.0) < LEAST_SECONDS:
                continue
            tokens -= 1
            written[symbol] = now
            seq += 1
            await collection.document(symbol).set(_document(latest.pop(symbol), seq))


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
    asyncio.run(run(sys.argv[1], sys.argv[2], sys.argv[3].split(",")))
