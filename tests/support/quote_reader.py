"""A strategy with alpaca-py, as its user writes it: reads quotes for a time and prints their number and ages as JSON.

Run it as a program: its arguments are the address, the key, the secret, and a JSON object with the symbols, the seconds
that the handler takes for each quote, the seconds until it ends, and the parameters of the WebSocket.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
import warnings
from typing import Any


def main() -> None:
    """Read quotes until the time is over, and print what was read."""
    warnings.simplefilter("ignore")  # alpaca-py uses websockets.legacy
    from alpaca.data.live import CryptoDataStream, StockDataStream

    url, key, secret, options = *sys.argv[1:4], json.loads(sys.argv[4])
    stream_type = CryptoDataStream if "/crypto/" in url else StockDataStream
    stream = stream_type(key, secret, url_override=url, websocket_params=options.get("websocket"))
    ages: list[float] = []
    symbols: dict[str, int] = {}

    async def on_quote(quote: Any) -> None:
        ages.append(time.time() - quote.timestamp.timestamp())
        symbols[quote.symbol] = symbols.get(quote.symbol, 0) + 1
        if options["handler_seconds"]:
            await asyncio.sleep(options["handler_seconds"])

    stream.subscribe_quotes(on_quote, *options["symbols"])
    threading.Thread(target=stream.run, daemon=True).start()
    time.sleep(options["seconds"])
    found = sorted(ages[len(ages) // 4 :])  # without the start, whose quotes wait for the import of alpaca-py
    percentiles = {"p50": found[len(found) // 2], "p99": found[int(len(found) * 0.99)]} if found else {}
    sys.stdout.write(json.dumps({"quotes": len(ages), "symbols": symbols, **percentiles}))
    sys.stdout.flush()
    os._exit(0)  # alpaca-py's thread has no end


if __name__ == "__main__":
    main()
