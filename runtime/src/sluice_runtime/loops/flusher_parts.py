"""The parts of the state that the flusher, its publisher and its upkeep of documents use."""

from __future__ import annotations

from dataclasses import dataclass

from ..aio.latest_value import LatestValue
from ..domain.desired import Desired
from ..domain.published_documents import PublishedDocuments
from ..state.instruments import Instruments
from ..state.market_data import MarketData
from ..state.open_connection import OpenConnection
from ..state.process_state import ProcessState
from ..state.symbols import RemovedSymbols


@dataclass(frozen=True, kw_only=True)
class FlusherParts:
    """What the flusher writes, what it knows of the documents, and where it records that it runs."""

    desired: LatestValue[Desired]
    connection: OpenConnection
    market: MarketData
    documents: PublishedDocuments
    removed_symbols: RemovedSymbols
    process: ProcessState
    instruments: Instruments
