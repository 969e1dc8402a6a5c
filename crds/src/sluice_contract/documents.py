"""The Firestore documents that consumers read: their paths and their shapes.

Every time is a timezone-aware `datetime`, which Firestore stores as a Timestamp. A field whose value is unknown is
null, never 0. Documents are written whole, so a field of an older writer cannot remain. The exception is ingest_state:
its records are merged, because a pause or a restart must not erase what they contain.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal, TypeGuard

import msgspec

PriceBasis = Literal["trade", "mid"]
QuoteState = Literal["live", "stale", "halted", "paused"]
RecordStatus = Literal["active", "paused", "rejected", "removed"]
MarketPhase = Literal["open", "closed", "unknown"]

# Every reader of a tenant reads the heartbeat document each time that it changes, so its size is limited.
HEARTBEAT_BYTES: Final = 4_000
NAMES_SHOWN: Final = 20  # of symbols, in a list of the heartbeat document or of the status

# For each channel other than ticks: its timeframe, and the field with the time of the last message.
_TIMED = {"bars": ("1Min", "last_bar_ts_utc")}


def document_id(symbol: str) -> str:
    """Return the ID of the documents of a symbol. An ID contains no slash, so `BTC/USD` becomes `BTC-USD`."""
    return symbol.replace("/", "-")


def has_document_id(symbol: object, identifier: str) -> TypeGuard[str]:
    """Return whether `symbol` is a text whose document ID is `identifier`."""
    return isinstance(symbol, str) and document_id(symbol) == identifier


def live_quote_path(tenant: str, collection: str, symbol: str) -> str:
    """Return the path of the document with the latest quote of a symbol."""
    return f"tenants/{tenant}/{collection}/{document_id(symbol)}"


def heartbeat_path(tenant: str, document: str) -> str:
    """Return the path of the heartbeat document of a job."""
    return f"tenants/{tenant}/ops/{document}"


def ingest_state_path(tenant: str, symbol: str) -> str:
    """Return the path of the ingest_state record of a symbol. A pause does not delete the record."""
    return f"{ingest_state_collection_path(tenant)}/{document_id(symbol)}"


def ingest_state_collection_path(tenant: str) -> str:
    """Return the path of the collection that contains all ingest_state records of a tenant."""
    return f"tenants/{tenant}/ingest_state"


def live_bar_path(tenant: str, symbol: str) -> str:
    """Return the path of the document with the last bar of a symbol."""
    return f"tenants/{tenant}/live_bars/{document_id(symbol)}"


class LiveBar(msgspec.Struct, frozen=True, kw_only=True):
    """The document with the last one-minute bar of a symbol.

    `ts` is the start of the minute. `job` (namespace/name) is the job that wrote the document.
    """

    symbol: str
    timeframe: str
    open: float
    high: float
    low: float
    close: float
    volume: float
    ts: datetime
    job: str

    def document_fields(self) -> dict[str, Any]:
        """Return the fields to write to Firestore, by name."""
        return msgspec.structs.asdict(self)


class LiveQuote(msgspec.Struct, frozen=True, kw_only=True):
    """The document with the latest quote of a symbol. Sizes are in the provider's unit.

    `job` (namespace/name), `session_id` and `epoch` have the same values as in the heartbeat of the writer.
    `price_basis` says what `price` is: the last trade or the midpoint. Both are None together.
    """

    symbol: str
    bid: float | None
    ask: float | None
    bid_size: float | None
    ask_size: float | None
    price: float | None
    ts: datetime
    source: str
    job: str
    session_id: str
    seq: int
    epoch: int
    written_at: datetime
    status: QuoteState = "live"
    price_basis: PriceBasis | None = None

    def document_fields(self) -> dict[str, Any]:
        """Return the fields to write to Firestore, by name. Some values have a second name for older readers."""
        return {
            **msgspec.structs.asdict(self),
            "bid_price": self.bid,
            "ask_price": self.ask,
            "last_trade_price": self.price,
            "last_update_ts": self.ts,
        }


class HeartbeatGap(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A period in which no data could be received. `to` is None while it lasts."""

    from_: datetime
    to: datetime | None
    cause: str


class HeartbeatFailure(msgspec.Struct, frozen=True, kw_only=True):
    """The last failure of the stream or of the writes that is not known to be over. `remedy` says what to do."""

    type: str
    message: str
    remedy: str
    at: datetime


class HeartbeatDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The document with the heartbeat of a job. `ts` is the time of the write by the writer's clock.

    `loop_tick_at`, `last_message_at`, `last_quote_ts` and `last_write_at` advance independently of each other.
    `symbols` and `freshness` have counts of symbols. `stale`, `halted`, `unheard` and `paused` have the first 20 such
    symbols in order (`paused`: those that are paused one by one), and `gaps` the last 10 gaps, oldest first.
    `heartbeat_interval_ms` is the time between two heartbeats, `clock_skew_ms` how far the writer's clock is ahead of
    the provider's. `cluster` is the UID of the writer's cluster; None for a standalone runtime. `market_changes_at` is
    when the market next opens or closes; None if it never does or if that is unknown. `failure` stays while the job is
    paused. `ingest_enabled_source` is the first switch that pauses the job, with its `pause_reason` and `pause_by`;
    None if none does. `pause_sources` are all switches that pause it, and `pause_until` is when the last of them ends.
    `writes_used` is the number of documents that the job has written on `writes_day`, a day in Los Angeles such
    as 2026-11-28, with this heartbeat; None if the writer does not count.
    """

    status: str
    ts: datetime
    ingest_enabled: bool
    ingest_enabled_source: str | None
    pause_reason: str | None
    pause_until: datetime | None
    last_symbol: str | None
    dry_run: bool
    job: str
    job_uid: str
    epoch: int
    session_id: str
    started_at: datetime
    effective_interval_ms: int
    heartbeat_interval_ms: int
    loop_tick_at: datetime
    last_message_at: datetime | None
    last_quote_ts: datetime | None
    last_write_at: datetime | None
    feed: str | None = None
    market: MarketPhase = "unknown"
    market_changes_at: datetime | None = None
    symbols: dict[str, int] = {}
    freshness: dict[str, int] | None = None
    stale: list[str] = []
    halted: list[str] = []
    unheard: list[str] = []
    paused: list[str] = []
    clock_skew_ms: int | None = None
    cluster: str | None = None
    gaps: list[HeartbeatGap] = []
    failure: HeartbeatFailure | None = None
    pause_by: str | None = None
    pause_sources: list[str] = []
    writes_day: str | None = None
    writes_used: int | None = None

    def document_fields(self) -> dict[str, Any]:
        """Return the fields to write to Firestore, by name. `ts` has two more names for older readers."""
        fields: dict[str, Any] = msgspec.to_builtins(self, builtin_types=(datetime,))
        return {**fields, "updated_at": self.ts, "last_heartbeat_at": self.ts}


class IngestState(msgspec.Struct, frozen=True, kw_only=True):
    """The ingest_state record of a symbol. `last_times` maps each channel with data to the time of its last event.

    `job` (namespace/name) is the job that wrote the documents of the symbol; None after they are deleted.
    """

    canonical_symbol: str
    job: str | None
    status: RecordStatus
    pause_fetch: bool
    notes: str | None  # None: the notes in the record stay
    last_times: dict[str, datetime]
    updated_at: datetime
    paused_since: datetime | None = None  # of a paused symbol that was streamed before

    def document_fields(self) -> dict[str, Any]:
        """Return the fields to merge into the document. Absent fields keep their stored values."""
        return {
            "canonical_symbol": self.canonical_symbol,
            "job": self.job,
            "status": self.status,
            "pause_fetch": self.pause_fetch,
            "updated_at": self.updated_at,
            **({"paused_since": self.paused_since} if self.paused_since is not None else {}),
            **({"notes": self.notes} if self.notes is not None else {}),
            **({"channels": self._channel_times()} if self.last_times else {}),
        }

    def _channel_times(self) -> dict[str, dict[str, Any]]:
        """Return the record of each channel with data: its timeframe, and the time of its last event."""
        found = {}
        for name, ts in self.last_times.items():
            timeframe, field = _TIMED.get(name, ("tick", "last_ts"))
            found[name] = {"timeframe": timeframe, field: ts}
        return found
