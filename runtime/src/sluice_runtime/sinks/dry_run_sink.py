"""The sink of a dry run without Firestore."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sluice_contract.documents import HeartbeatDocument, IngestState, LiveBar, LiveQuote, QuoteState
from sluice_contract.gap_documents import IngestGap

from ..domain.heartbeat_owner import StoredHeartbeat
from ..loops.write_log import WriteLog


class DryRunSink:
    """A sink without documents. It writes nothing, and logs the heartbeats that would be written."""

    def __init__(self, write_log: WriteLog) -> None:
        self._write_log = write_log

    async def write_quotes(self, quotes: Sequence[LiveQuote]) -> None:
        pass

    async def quote_document_times(self, symbols: Iterable[str]) -> Mapping[str, datetime]:
        return {}

    async def write_bars(self, bars: Sequence[LiveBar]) -> None:
        pass

    async def set_status_of_existing_quotes(self, symbols: Iterable[str], status: QuoteState) -> frozenset[str]:
        return frozenset()

    async def delete_own_quotes_and_bars(self, symbols: Iterable[str]) -> None:
        pass

    async def write_gaps(self, gaps: Sequence[IngestGap], *, replace: bool) -> None:
        pass

    async def merge_ingest_states(self, states: Sequence[IngestState]) -> None:
        pass

    async def recorded_symbols_of_job(self) -> frozenset[str]:
        return frozenset()

    async def recorded_pause_starts(self, symbols: Iterable[str]) -> Mapping[str, datetime]:
        return {}

    async def symbols_recorded_as_paused(self) -> frozenset[str]:
        return frozenset()

    async def write_heartbeat(self, heartbeat: HeartbeatDocument) -> None:
        self._write_log.record_dry_run_heartbeat(heartbeat)

    async def stored_heartbeat(self) -> StoredHeartbeat | None:
        return None

    async def close(self) -> None:
        pass
