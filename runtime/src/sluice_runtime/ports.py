"""What the loops need from outside. Adapters implement these; tests bring fakes that pass the same suite."""

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
from .domain.slot import Claim

QUOTES: frozenset[Channel] = frozenset({"quotes"})


class Listener(Protocol):
    """Where a connection tells what happens to it. Synchronous: reading never waits for a consumer."""

    def entered(self, state: StreamState) -> None:
        """The connection is in a new phase."""

    def received(self, ticks: Sequence[Tick]) -> None:
        """Ticks that came together, in the order of arrival; none: what came was understood by nobody."""

    def traded(self, trades: Sequence[Trade]) -> None:
        """Trades that came together, in the order of arrival."""

    def halted(self, halts: Sequence[Halt]) -> None:
        """Halts and resumptions that came together, in the order of arrival; also of symbols that are not wanted."""

    def aggregated(self, bars: Sequence[Bar]) -> None:
        """Bars that came together. A later bar of the same symbol and time replaces the earlier."""

    def acknowledged(self, confirmed: frozenset[str], rejected: Sequence[SymbolRejection]) -> None:
        """The provider's word on what is subscribed: the whole set, not a delta."""

    def set_impairment(self, impairment: Impairment | None) -> None:
        """What the open connection cannot bring from now on; None: nothing is wrong any more."""

    def closed(self) -> None:
        """The socket is closed. Called once for each that was opened."""


class Connection(Protocol):
    """An open, authenticated stream."""

    async def follow(self, symbols: frozenset[str], channels: frozenset[Channel] = QUOTES) -> None:
        """Makes these channels of `symbols` the subscription, sending only the difference.

        Returns when the provider has answered. A provider that has not all of the channels takes those that it has.

        Raises:
            StreamError: the provider did not answer in time, or the connection is lost.
        """

    async def run(self) -> None:
        """Passes ticks to the listener until the stream is at its end, and then returns.

        Raises:
            StreamError: the connection is lost.
        """


class Source(Protocol):
    """A provider. Holds no connection of its own."""

    @property
    def name(self) -> str:
        """The `source` of its quotes, such as `alpaca:iex`."""

    def connect(self, listener: Listener) -> AbstractAsyncContextManager[Connection]:
        """Opens one connection; leaving the context closes it, within 2 s even if the peer is dead.

        Raises:
            StreamError: on entering, if it cannot be had. Cancelling is safe in every phase.
        """

    async def wait_for_fix(self) -> None:
        """Returns when a fatal failure may be over: credentials or files have changed since they were last used."""

    async def wait_for_rotation(self) -> None:
        """Returns when another connection shall take the place of the open one: its credentials were replaced."""


class MarketSnapshots(Protocol):
    """The provider, asked beside the stream."""

    async def latest(self, symbols: Sequence[str]) -> MarketSnapshot:
        """What is newest of each of `symbols`, as far as it is known.

        Raises:
            SnapshotError: it cannot be had now.
        """


class SnapshotError(Exception):
    """There is no snapshot. The message is a sentence, without secrets."""


class Sink(Protocol):
    """Where documents go. No method retries; all raise SinkError and may be called again with the same values."""

    async def write(self, quotes: Sequence[LiveQuote]) -> None:
        """Writes each quote document whole. At most 100 at a time, each symbol at most once."""

    async def times(self, symbols: Iterable[str]) -> Mapping[str, datetime]:
        """The `ts` of those quote documents of `symbols` that there are."""

    async def write_bars(self, bars: Sequence[LiveBar]) -> None:
        """Writes each bar document whole. At most 100 at a time, each symbol at most once."""

    async def mark(self, symbols: Iterable[str], status: QuoteState) -> None:
        """Sets `status` on the documents of `symbols` that exist, and touches nothing else of them."""

    async def delete(self, symbols: Iterable[str]) -> None:
        """Deletes those quote and bar documents of `symbols` that this job wrote. Another job's are left alone."""

    async def record(self, states: Sequence[IngestState]) -> None:
        """Merges each into its symbol's record: what is not said stays. At most 100 at a time, each symbol once.

        What says removed is left out where the record is another job's by now.
        """

    async def own_records(self) -> frozenset[str]:
        """The symbols whose records are this job's: of which it has, or may have, documents."""

    async def paused_records(self) -> frozenset[str]:
        """The symbols whose records say pause_fetch, of all jobs of the tenant."""

    async def beat(self, heartbeat: HeartbeatDocument) -> None:
        """Writes the heartbeat.

        Raises:
            FencedError: the document is of a later incarnation of the same job. It was not replaced.
        """

    async def last_epoch(self, job_uid: str) -> int | None:
        """The epoch of the heartbeat document; None where it is not this job's, or there is none."""

    async def close(self) -> None:
        """Closes the connection to the sink."""


class SlotPort(Protocol):
    """Where it is written who has the connection slot."""

    async def read(self) -> Claim | None:
        """The claim there is; None if there never was one.

        Raises:
            SlotError: it cannot be read.
        """

    async def write(self, claim: Claim) -> Claim:
        """Replaces the claim of `claim.version`, or makes the first. Returns it with its new version.

        Raises:
            SlotError: it could not be written, or somebody else has written since.
        """


class SlotError(Exception):
    """The slot cannot be read or written now. The message is a sentence."""


class JobPort(Protocol):
    """The pod's own IngestJob."""

    def watch(self) -> AsyncIterator[DeclaredJob | None]:
        """Yield the job as it is now, and again after each change of its spec; None when it is gone.

        Never raises for an API server that is away: it tries again for ever, and the last value stands.
        """

    async def report(self, status: StreamStatus) -> None:
        """Writes the pod's half of the status.

        Raises:
            ReportError: the API server did not take it.
        """


class ReportError(Exception):
    """The API server did not take a status. The message is a sentence, without secrets."""


class RuntimeView(Protocol):
    """What the process knows of itself, for whoever asks it over HTTP."""

    @property
    def counters(self) -> Counters:
        """Counts since the start."""

    @property
    def coalescer(self) -> Coalescer:
        """Counts of quotes."""

    def snapshot(self) -> RuntimeSnapshot:
        """Everything that is known, at this instant."""


class SwitchListener(Protocol):
    """Where a switch beside the job tells what it says."""

    def switched(self, switch: Switch) -> None:
        """What it says now."""

    def check_failed(self, message: str) -> None:
        """It cannot be read: what it said last stands."""


class SwitchKeeper(Protocol):
    """Where the pod's own switches outlive the process."""

    def read(self) -> tuple[Switch, ...]:
        """Those that paused when the process ended.

        Raises:
            OSError, msgspec.MsgspecError: nobody knows.
        """

    def keep(self, switch: Switch) -> None:
        """Remembers what one switch says. Never raises."""


class StartRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a start may ask for beside starting, where no IngestJob of a cluster decides."""

    provider: str | None = None
    symbols: list[str] | None = None
    dry_run: bool | None = None


class Declaration(Protocol):
    """Where the job is declared, as far as HTTP may work it."""

    def override(self, wishes: StartRequest) -> None:
        """Changes what is declared, in the running process and nowhere else.

        Raises:
            RefusedError: it cannot be changed like this.
        """

    def reload(self) -> None:
        """Looks now at everything that is else polled.

        Raises:
            RefusedError: what is declared cannot be read; what was read last stands.
        """


class RefusedError(Exception):
    """A request cannot be carried out. The message is a sentence that says what to do instead."""


class Controls(Protocol):
    """The pod's own switch, for whoever works it over HTTP."""

    async def stop(self, reason: str | None) -> bool:
        """Pauses. Whether it was carried out in time: the socket closed, what was pending written."""

    async def start(self, wishes: StartRequest) -> tuple[str, ...]:
        """Ends the pause of this switch. The sources of the switches that still pause.

        Raises:
            RefusedError: `wishes` cannot be had. Nothing has changed.
        """

    def reload(self) -> None:
        """As Declaration."""
