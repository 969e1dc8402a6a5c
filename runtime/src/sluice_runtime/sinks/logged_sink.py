"""A sink that logs the writes that Firestore acknowledges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sluice_contract.documents import HeartbeatDocument, IngestState, LiveBar, LiveQuote, QuoteState
from sluice_contract.gap_documents import IngestGap

from ..domain.heartbeat_owner import StoredHeartbeat
from ..loops.write_log import WriteLog
from ..ports import Sink


class LoggedSink:
    """A sink that records each acknowledged write of another sink. A failed write is not recorded."""

    def __init__(self, sink: Sink, write_log: WriteLog) -> None:
        self._sink = sink
        self._write_log = write_log

    async def write_quotes(self, quotes: Sequence[LiveQuote]) -> None:
        await self._sink.write_quotes(quotes)
        self._write_log.record_commit("quotes", [each.symbol for each in quotes])

    async def quote_document_times(self, symbols: Iterable[str]) -> Mapping[str, datetime]:
        return await self._sink.quote_document_times(symbols)

    async def write_bars(self, bars: Sequence[LiveBar]) -> None:
        await self._sink.write_bars(bars)
        self._write_log.record_commit("bars", [each.symbol for each in bars])

    async def set_status_of_existing_quotes(self, symbols: Iterable[str], status: QuoteState) -> frozenset[str]:
        symbols = list(symbols)
        missing = await self._sink.set_status_of_existing_quotes(symbols, status)
        written = [symbol for symbol in symbols if symbol not in missing]
        self._write_log.record_commit("statuses", written)
        return missing

    async def delete_own_quotes_and_bars(self, symbols: Iterable[str]) -> None:
        symbols = list(symbols)
        await self._sink.delete_own_quotes_and_bars(symbols)
        self._write_log.record_commit("deletions", symbols, commits=2)  # quotes, then bars

    async def write_gaps(self, gaps: Sequence[IngestGap], *, replace: bool) -> None:
        await self._sink.write_gaps(gaps, replace=replace)
        self._write_log.record_commit("gaps", [each.symbols[0] if each.symbols else None for each in gaps])

    async def merge_ingest_states(self, states: Sequence[IngestState]) -> None:
        await self._sink.merge_ingest_states(states)
        self._write_log.record_commit("records", [each.canonical_symbol for each in states])

    async def recorded_symbols_of_job(self) -> frozenset[str]:
        return await self._sink.recorded_symbols_of_job()

    async def recorded_pause_starts(self, symbols: Iterable[str]) -> Mapping[str, datetime]:
        return await self._sink.recorded_pause_starts(symbols)

    async def symbols_recorded_as_paused(self) -> frozenset[str]:
        return await self._sink.symbols_recorded_as_paused()

    async def write_heartbeat(self, heartbeat: HeartbeatDocument) -> None:
        await self._sink.write_heartbeat(heartbeat)
        self._write_log.record_heartbeat(heartbeat)

    async def stored_heartbeat(self) -> StoredHeartbeat | None:
        return await self._sink.stored_heartbeat()

    async def close(self) -> None:
        await self._sink.close()
