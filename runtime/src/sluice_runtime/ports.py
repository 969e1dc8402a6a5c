"""The interfaces between the loops and the outside world. Adapters implement them; fakes pass the same tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

import msgspec

from sluice_contract.documents import HeartbeatDocument, IngestState, LiveBar, LiveQuote, QuoteState
from sluice_contract.spec import Channel
from sluice_contract.status import StreamState, StreamStatus, SymbolRejection

from .domain.coalescer import Coalescer
from .domain.counters import Counters
from .domain.declared_job import DeclaredJob
from .domain.failure import Impairment
from .domain.health import RuntimeSnapshot
from .domain.market import Bar, Halt, Tick, Trade
from .domain.market_snapshot import MarketSnapshot
from .domain.pause import Switch
from .domain.slot import SlotClaim

QUOTES: frozenset[Channel] = frozenset({"quotes"})


class Listener(Protocol):
    """Receives what happens on a connection. Synchronous, so that reading never waits for a consumer."""

    def entered(self, state: StreamState) -> None:
        """Handle a new phase of the connection."""

    def received(self, ticks: Sequence[Tick]) -> None:
        """Handle a batch of ticks in the order of arrival. An empty batch means a message without usable data."""

    def traded(self, trades: Sequence[Trade]) -> None:
        """Handle a batch of trades in the order of arrival."""

    def halted(self, halts: Sequence[Halt]) -> None:
        """Handle a batch of halts and resumptions in the order of arrival, also of symbols that are not wanted."""

    def aggregated(self, bars: Sequence[Bar]) -> None:
        """Handle a batch of bars. A later bar of the same symbol and time replaces the earlier one."""

    def acknowledged(self, confirmed: frozenset[str], rejected: Sequence[SymbolRejection]) -> None:
        """Handle the provider's acknowledgement of the subscription: the whole set, not a difference."""

    def set_impairment(self, impairment: Impairment | None) -> None:
        """Handle a change of what the open connection cannot deliver; None means that it delivers everything."""

    def closed(self) -> None:
        """Handle the close of the socket. Called once for each socket that was opened."""


class Connection(Protocol):
    """An open, authenticated stream."""

    async def follow(self, symbols: frozenset[str], channels: frozenset[Channel] = QUOTES) -> None:
        """Subscribe to exactly these channels of `symbols`, sending only the difference.

        Returns when the provider has answered. A provider that lacks some of the channels subscribes to the others.

        Raises:
            StreamError: the provider did not answer in time, or the connection is lost.
        """

    async def run(self) -> None:
        """Pass ticks to the listener until the stream is finished, then return.

        Raises:
            StreamError: the connection is lost.
        """


class Source(Protocol):
    """A provider of streams. It keeps no connection itself."""

    @property
    def name(self) -> str:
        """The `source` field of its quotes, such as `alpaca:iex`."""

    def connect(self, listener: Listener) -> AbstractAsyncContextManager[Connection]:
        """Open one connection. Leaving the context closes it, within 2 s even if the peer is dead.

        Raises:
            StreamError: on entering, if the connection cannot be opened. Cancellation is safe in every phase.
        """

    async def wait_for_fix(self) -> None:
        """Wait until a fatal failure may be fixed: credentials or files have changed since they were last used."""

    async def wait_for_rotation(self) -> None:
        """Wait until the credentials of the open connection are replaced, so that it must be replaced too."""


class MarketSnapshots(Protocol):
    """A provider's interface for snapshots, separate from the stream."""

    async def latest(self, symbols: Sequence[str]) -> MarketSnapshot:
        """Return the newest quote and trade of each of `symbols`, as far as the provider knows them.

        Raises:
            SnapshotError: the snapshot is not available now.
        """


class SnapshotError(Exception):
    """The snapshot is not available. The message is a sentence, without secrets."""


class Sink(Protocol):
    """The document store. No method retries; all raise SinkError and may be called again with the same values."""

    async def write(self, quotes: Sequence[LiveQuote]) -> None:
        """Write whole quote documents. At most 100 per call, each symbol at most once."""

    async def times(self, symbols: Iterable[str]) -> Mapping[str, datetime]:
        """Return the `ts` of the quote documents of `symbols` that exist."""

    async def write_bars(self, bars: Sequence[LiveBar]) -> None:
        """Write whole bar documents. At most 100 per call, each symbol at most once."""

    async def mark(self, symbols: Iterable[str], status: QuoteState) -> None:
        """Set `status` on the quote documents of `symbols` that exist, and change nothing else in them."""

    async def delete(self, symbols: Iterable[str]) -> None:
        """Delete the quote and bar documents of `symbols` that this job wrote. Documents of other jobs stay."""

    async def record(self, states: Sequence[IngestState]) -> None:
        """Merge each state into its symbol's record; absent fields stay. At most 100 per call, each symbol once.

        A removal is skipped if the record now belongs to another job.
        """

    async def recorded_symbols_of_job(self) -> frozenset[str]:
        """Return the symbols whose records belong to this job: those for which it has, or may have, documents."""

    async def symbols_recorded_as_paused(self) -> frozenset[str]:
        """Return the symbols whose records have pause_fetch, for all jobs of the tenant."""

    async def beat(self, heartbeat: HeartbeatDocument) -> None:
        """Write the heartbeat.

        Raises:
            FencedError: the document is from a later process of the same job. It was not replaced.
        """

    async def last_epoch(self, job_uid: str) -> int | None:
        """Return the epoch of the heartbeat document; None if there is no document or it belongs to another job."""

    async def close(self) -> None:
        """Close the connection to the store."""


class SlotPort(Protocol):
    """Where a job claims the connection slot: the one connection that the provider allows for its credentials."""

    async def read(self) -> SlotClaim | None:
        """Return the current claim; None if there never was one.

        Raises:
            SlotError: the claim cannot be read.
        """

    async def write(self, claim: SlotClaim) -> SlotClaim:
        """Replace the claim of `claim.version`, or create the first one. Return it with its new version.

        Raises:
            SlotError: the claim could not be written, or another job has written since.
        """


class SlotError(Exception):
    """The claim cannot be read or written now. The message is a sentence."""


class JobPort(Protocol):
    """The pod's own IngestJob."""

    def watch(self) -> AsyncIterator[DeclaredJob | None]:
        """Yield the job as it is now, and again after each change of its spec; None when it is gone.

        Never raises while the API server is unreachable: it retries indefinitely, and the last value stays valid.
        """

    async def report(self, status: StreamStatus) -> None:
        """Write the pod's part of the status.

        Raises:
            ReportError: the API server did not accept it.
        """


class ReportError(Exception):
    """The API server did not accept a status. The message is a sentence, without secrets."""


class RuntimeView(Protocol):
    """The state of the process, as served over HTTP."""

    @property
    def counters(self) -> Counters:
        """Counts since the process started."""

    @property
    def coalescer(self) -> Coalescer:
        """The coalescer, for its counts of quotes."""

    def snapshot(self) -> RuntimeSnapshot:
        """Return the state of the runtime at this instant."""


class SwitchListener(Protocol):
    """Receives the state of switches outside the job document."""

    def switched(self, switch: Switch) -> None:
        """Handle the current state of a switch."""

    def check_failed(self, message: str) -> None:
        """Handle a switch that cannot be read. Its last state stays in force."""


class SwitchKeeper(Protocol):
    """Stores the pod's own switches across restarts of the process."""

    def read(self) -> tuple[Switch, ...]:
        """Return the switches that paused when the process ended.

        Raises:
            OSError, msgspec.MsgspecError: the stored switches cannot be read.
        """

    def keep(self, switch: Switch) -> None:
        """Store the state of one switch. Never raises."""


class StartRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The optional body of a start request. Only a standalone runtime accepts values in it."""

    provider: str | None = None
    symbols: list[str] | None = None
    dry_run: bool | None = None


class Declaration(Protocol):
    """The source of the job's declaration, as far as HTTP can change it."""

    def override(self, start_request: StartRequest) -> None:
        """Change the declaration in the running process only.

        Raises:
            RefusedError: the change is not possible.
        """

    def reload(self) -> None:
        """Read everything that is otherwise polled now.

        Raises:
            RefusedError: the declaration cannot be read; the last one stays in force.
        """


class RefusedError(Exception):
    """A request cannot be carried out. The message is a sentence with what to do instead."""


class Controls(Protocol):
    """The pod's own switch, as operated over HTTP."""

    async def stop(self, reason: str | None) -> bool:
        """Pause the job. Return True if the pause took effect in time: socket closed, pending writes flushed."""

    async def start(self, start_request: StartRequest) -> tuple[str, ...]:
        """Clear this switch. Return the sources of the switches that still pause.

        Raises:
            RefusedError: the requested changes are not possible. Nothing has changed.
        """

    def reload(self) -> None:
        """Read everything that is otherwise polled now. Raises like `Declaration.reload`."""
