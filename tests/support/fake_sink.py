"""A fake of the runtime's sink."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sluice_contract.documents import HeartbeatDocument, IngestState, LiveBar, LiveQuote, QuoteState
from sluice_contract.gap_documents import IngestGap
from sluice_runtime.domain.failure import FencedError, SinkError
from support.virtual_time import seconds

JOB = "acme/us"


class FakeSink:
    """A Sink that keeps the documents of job acme/us in memory.

    Each call takes `seconds`, then raises `failure` if it is set; with `hangs`, it never returns.
    """

    def __init__(self) -> None:
        self.quotes: dict[str, dict[str, Any]] = {}
        self.bars: dict[str, dict[str, Any]] = {}
        self.gaps: dict[str, dict[str, Any]] = {}
        self.heartbeat: dict[str, Any] | None = None
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
        self.in_flight = 0
        self.most_in_flight = 0
        self.attempts = 0

    async def write_quotes(self, quotes: Sequence[LiveQuote]) -> None:
        assert len(quotes) <= 100
        assert len({each.symbol for each in quotes}) == len(quotes)
        self.attempts += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await self._answer()
        finally:
            self.in_flight -= 1
        self.writes.append((seconds(), list(quotes)))
        self.history.append("write")
        for each in quotes:
            self.quotes[each.symbol] = each.document_fields()

    async def quote_document_times(self, symbols: Iterable[str]) -> Mapping[str, datetime]:
        await self._answer()
        found = {symbol: self.quotes.get(symbol, {}).get("ts") for symbol in symbols}
        return {symbol: ts for symbol, ts in found.items() if isinstance(ts, datetime)}

    async def write_bars(self, bars: Sequence[LiveBar]) -> None:
        await self._answer()
        self.history.append("bars")
        self.bars |= {each.symbol: each.document_fields() for each in bars}

    async def set_status_of_existing_quotes(self, symbols: Iterable[str], status: QuoteState) -> None:
        for symbol in symbols:
            await self._answer()
            self.marked.append((symbol, status))
            self.history.append("mark")
            if symbol in self.quotes:
                self.quotes[symbol]["status"] = status

    async def delete_own_quotes_and_bars(self, symbols: Iterable[str]) -> None:
        for symbol in symbols:
            await self._answer()
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
        await self._answer()
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
        epoch = self._epoch(heartbeat.job_uid)
        if epoch is not None and epoch > heartbeat.epoch:
            raise FencedError(f"a later process of this job writes (epoch {epoch}; this is epoch {heartbeat.epoch})")
        self.heartbeat = heartbeat.document_fields()
        self.beats.append((seconds(), heartbeat))
        self.history.append(f"beat {heartbeat.status}")

    async def last_heartbeat_epoch(self, job_uid: str) -> int | None:
        await self._answer()
        return self._epoch(job_uid)

    async def close(self) -> None:
        self.history.append("close")

    def written(self, symbol: str) -> list[tuple[float, LiveQuote]]:
        """Return the writes of one symbol, each with the time at which it was written."""
        return [(at, each) for at, batch in self.writes for each in batch if each.symbol == symbol]

    def _epoch(self, job_uid: str) -> int | None:
        said = self.heartbeat or {}
        epoch = said.get("epoch")
        return epoch if said.get("job_uid") == job_uid and isinstance(epoch, int) else None

    def _recorded(self, field: str, value: object) -> frozenset[str]:
        found = {place: each for place, each in self.records.items() if each.get(field) == value}
        return frozenset(place for place, each in found.items() if each.get("canonical_symbol") == place)

    async def _answer(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        await asyncio.sleep(self.seconds)
        if self.failure is not None:
            raise self.failure
