"""A fake sink whose documents are counted, as the connection to Firestore counts them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sluice_contract.documents import HeartbeatDocument, IngestState, LiveBar, LiveQuote, QuoteState
from sluice_contract.gap_documents import IngestGap
from sluice_runtime.ports import WriteMeter
from support.fake_sink import FakeSink


class MeteredSink(FakeSink):
    """A FakeSink that counts each written document, in `meter` and in `document_count`."""

    def __init__(self, meter: WriteMeter) -> None:
        super().__init__()
        self.document_count = 0
        self._meter = meter

    async def write_quotes(self, quotes: Sequence[LiveQuote]) -> None:
        self._count(len(quotes))
        await super().write_quotes(quotes)

    async def write_bars(self, bars: Sequence[LiveBar]) -> None:
        self._count(len(bars))
        await super().write_bars(bars)

    async def set_status_of_existing_quotes(self, symbols: Iterable[str], status: QuoteState) -> frozenset[str]:
        symbols = list(symbols)
        self._count(sum(symbol in self.quotes for symbol in symbols))
        return await super().set_status_of_existing_quotes(symbols, status)

    async def write_gaps(self, gaps: Sequence[IngestGap], *, replace: bool) -> None:
        self._count(len(gaps))
        await super().write_gaps(gaps, replace=replace)

    async def merge_ingest_states(self, states: Sequence[IngestState]) -> None:
        self._count(len(states))
        await super().merge_ingest_states(states)

    async def write_heartbeat(self, heartbeat: HeartbeatDocument) -> None:
        self._count(1)
        await super().write_heartbeat(heartbeat)

    def _count(self, count: int) -> None:
        self.document_count += count
        self._meter.record_sent(count)
