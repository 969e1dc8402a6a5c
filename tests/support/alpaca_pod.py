"""Helpers for tests of a pod that streams from the Alpaca simulator and writes to the Firestore emulator."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

from sluice_simulators.alpaca import AlpacaServer
from support.eventually import eventually
from support.pod import LIMITS, FirestorePod
from support.runtime_fakes import job

SYMBOLS = ["AAPL", "MSFT"]


@asynccontextmanager
async def streaming(pod: FirestorePod, symbols: list[str] = SYMBOLS) -> AsyncIterator[None]:
    """Declare a job with these symbols and run the pod's loops while the context lasts."""
    pod.job.declare(job(1, symbols=symbols, limits=LIMITS))
    async with pod.running():
        yield


async def send_until_written(server: AlpacaServer, pod: FirestorePod, symbol: str, bid: float) -> None:
    """Send quotes until one is written to Firestore and the stream is Live, on whichever connection is open by then."""

    async def arrived() -> bool:
        await server.send_quote(symbol, bid, bid + 1.0)
        written = await pod.documents.quote(symbol)
        return pod.runtime.stream.state == "Live" and written is not None and written["bid"] == bid

    await eventually(arrived, 15)


async def document_has(document: Awaitable[dict[str, Any] | None], field: str, value: float) -> bool:
    """Return whether the document exists and its field has this value."""
    found = await document
    return found is not None and found[field] == value
