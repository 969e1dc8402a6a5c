"""A fake of the runtime's sink."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sluice_contract.documents import HeartbeatDocument, IngestState, LiveBar, LiveQuote, QuoteState
from sluice_contract.gap_documents import IngestGap
from sluice_runtime.domain.failure import SinkError
from sluice_runtime.domain.heartbeat_owner import StoredHeartbeat, require_takeover_allowed
from sluice_runtime.sinks.firestore.connection import StoredDocument
from sluice_runtime.sinks.firestore.stored_heartbeat import stored_heartbeat
from support.virtual_time import seconds

JOB = "acme/us"
LOCK_SECONDS = 2.0  # how long the emulator waits for a lock


class FakeSink:
    """A Sink that keeps the documents of job acme/us in memory.

    Each call takes `seconds`, then raises `failure` if it is set; with `hangs`, it never returns.
    """

    def __init__(self) -> None:
        self.quotes: dict[str, dict[str, Any]] = {}
        self.bars: dict[str, dict[str, Any]] = {}
        self.gaps: dict[str, dict[str, Any]] = {}
        self.heartbeat: dict[str, Any] | None = None
        self.heartbeat_at = 0.0  # the virtual time of its last write
        self.records: dict[str, dict[str, Any]] = {}
        self.recorded: list[tuple[float, IngestState]] = []
        self.writes: list[tuple[float, list[LiveQuote]]] = []
        self.marked: list[tuple[str, QuoteState]] = []
        self.deleted: list[str] = []
        self.beats: list[tuple[float, HeartbeatDocument]] = []
        self.history: list[str] = []  # every call that took effect, in order
        self.failure: SinkError | None = None
        self.seconds = 0.0
        self.hangs = False
        self.in_flight: Counter[str] = Counter()  # writes of each quote document
        self.most_in_flight = 0
        self.locked: set[str] = set()  # documents such as live_quotes/AAPL whose writes are refused after 2 s
        self.attempts = 0

    async def write_quotes(self, quotes: Sequence[LiveQuote]) -> None:
        assert len(quotes) <= 100
        assert len({each.symbol for each in quotes}) == len(quotes)
        self.attempts += 1
        self.in_flight.update(each.symbol for each in quotes)
        self.most_in_flight = max(self.most_in_flight, *self.in_flight.values(), 0)
        try:
            await self._answer(*(f"live_quotes/{each.symbol}" for each in quotes))
        finally:
            self.in_flight.subtract(each.symbol for each in quotes)
        self.writes.append((seconds(), list(quotes)))
        self.history.append("write")
        for each in quotes:
            self.quotes[each.symbol] = each.document_fields()

    async def quote_document_times(self, symbols: Iterable[str]) -> Mapping[str, datetime]:
        await self._answer()
        found = {symbol: self.quotes.get(symbol, {}).get("ts") for symbol in symbols}
        return {symbol: ts for symbol, ts in found.items() if isinstance(ts, datetime)}

    async def write_bars(self, bars: Sequence[LiveBar]) -> None:
        await self._answer(*(f"live_bars/{each.symbol}" for each in bars))
        self.history.append("bars")
        self.bars |= {each.symbol: each.document_fields() for each in bars}

    async def set_status_of_existing_quotes(self, symbols: Iterable[str], status: QuoteState) -> frozenset[str]:
        missing = set()
        for symbol in symbols:
            await self._answer(f"live_quotes/{symbol}")
            self.marked.append((symbol, status))
            self.history.append("mark")
            if symbol in self.quotes:
                self.quotes[symbol]["status"] = status
            else:
                missing.add(symbol)
        return frozenset(missing)

    async def delete_own_quotes_and_bars(self, symbols: Iterable[str]) -> None:
        for symbol in symbols:
            await self._answer(f"live_quotes/{symbol}")
            self.deleted.append(symbol)
            self.history.append("delete")
            for documents in (self.quotes, self.bars):
                if documents.get(symbol, {}).get("job") == JOB:
                    del documents[symbol]

    async def write_gaps(self, gaps: Sequence[IngestGap], *, replace: bool) -> None:
        await self._answer()
        written = {each.document_id: each.document_fields() for each in gaps}
        assert len(written) == len(gaps) <= 100
        self.gaps |= written if replace else {name: written[name] for name in written.keys() - self.gaps.keys()}
        self.history.append(f"gaps {len(gaps)}")

    async def merge_ingest_states(self, states: Sequence[IngestState]) -> None:
        await self._answer(*(f"ingest_state/{each.canonical_symbol}" for each in states))
        for each in states:
            self.recorded.append((seconds(), each))
            before, said = self.records.get(each.canonical_symbol, {}), each.document_fields()
            if each.status == "removed" and before.get("job") not in (None, JOB):
                continue
            channels = before.get("channels", {}) | said.get("channels", {})
            self.records[each.canonical_symbol] = before | said | ({"channels": channels} if channels else {})

    async def recorded_symbols_of_job(self) -> frozenset[str]:
        await self._answer()
        return self._recorded("job", JOB)

    async def recorded_pause_starts(self, symbols: Iterable[str]) -> Mapping[str, datetime]:
        await self._answer()
        own = {symbol: self.records.get(symbol, {}) for symbol in symbols}
        return {
            symbol: record["paused_since"]
            for symbol, record in own.items()
            if record.get("job") == JOB and record.get("pause_fetch") is True and "paused_since" in record
        }

    async def symbols_recorded_as_paused(self) -> frozenset[str]:
        await self._answer()
        return self._recorded("pause_fetch", True)

    async def write_heartbeat(self, heartbeat: HeartbeatDocument) -> None:
        await self._answer()
        if (stored := self._stored_heartbeat()) is not None:
            require_takeover_allowed(stored, heartbeat)
        self.heartbeat, self.heartbeat_at = heartbeat.document_fields(), seconds()
        self.beats.append((seconds(), heartbeat))
        self.history.append(f"beat {heartbeat.status}")

    async def stored_heartbeat(self) -> StoredHeartbeat | None:
        await self._answer()
        return self._stored_heartbeat()

    async def close(self) -> None:
        self.history.append("close")

    def written(self, symbol: str) -> list[tuple[float, LiveQuote]]:
        """Return the writes of one symbol, each with the time at which it was written."""
        return [(at, each) for at, batch in self.writes for each in batch if each.symbol == symbol]

    def _stored_heartbeat(self) -> StoredHeartbeat | None:
        if self.heartbeat is None:
            return None
        return stored_heartbeat(StoredDocument("heartbeat", self.heartbeat, None, seconds() - self.heartbeat_at))

    def _recorded(self, field: str, value: object) -> frozenset[str]:
        found = {place: each for place, each in self.records.items() if each.get(field) == value}
        return frozenset(place for place, each in found.items() if each.get("canonical_symbol") == place)

    async def _answer(self, *documents: str) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        await asyncio.sleep(self.seconds)
        if self.failure is not None:
            raise self.failure
        if self.locked.intersection(documents):
            await asyncio.sleep(LOCK_SECONDS)
            error = SinkError("Firestore did not accept a write: locked", scope="documents")
            error.document = documents[0] if len(documents) == 1 else None
            raise error
