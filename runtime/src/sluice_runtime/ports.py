"""The interfaces between the loops and the outside world. Adapters implement them; fakes pass the same tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime
from typing import Protocol

import msgspec

from sluice_contract.documents import HeartbeatDocument, IngestState, LiveBar, LiveQuote, QuoteState
from sluice_contract.gap_documents import IngestGap
from sluice_contract.spec import Channel
from sluice_contract.status import StreamState, StreamStatus
from sluice_contract.symbol_counts import SymbolRejection

from .domain.clock_skew import ClockReading
from .domain.declared_job import DeclaredJob
from .domain.failure import Impairment
from .domain.heartbeat_owner import StoredHeartbeat
from .domain.market import Bar, Halt, Tick, TradeEvent
from .domain.market_snapshot import MarketSnapshot
from .domain.reload_report import FileReading, ReloadReport
from .domain.slot import SlotClaim

QUOTES: frozenset[Channel] = frozenset({"quotes"})


class Listener(Protocol):
    """Receives the events of a connection. Its methods are synchronous, so that reading never waits for a consumer."""

    def on_state(self, state: StreamState) -> None:
        """Handle a new state of the stream."""

    def on_ticks(self, ticks: Sequence[Tick]) -> None:
        """Handle a batch of ticks in the order of arrival. It is empty for a message without usable data."""

    def on_trades(self, events: Sequence[TradeEvent]) -> None:
        """Handle a batch of trades, cancellations and corrections in the order of arrival."""

    def on_halts(self, halts: Sequence[Halt]) -> None:
        """Handle a batch of halts and resumptions in the order of arrival. Unwanted symbols can be among them."""

    def on_bars(self, bars: Sequence[Bar]) -> None:
        """Handle a batch of bars. A later bar of the same symbol and time replaces the earlier one."""

    def on_provider_time(self, reading: ClockReading) -> None:
        """Handle a statement of the provider's time, from a response or from the opening of the connection."""

    def on_acknowledgement(self, confirmed: frozenset[str], rejected: Sequence[SymbolRejection]) -> None:
        """Handle an acknowledgement of the subscriptions: all confirmed and rejected symbols, not only the changes."""

    def on_impairment(self, impairment: Impairment | None) -> None:
        """Handle a change of what the open connection cannot deliver; None if it delivers everything."""

    def on_credentials(self, generation: int, problem: str | None) -> None:
        """Handle a change of the credentials in use: the number of pairs accepted, and why a newer pair is not used."""

    def on_socket_closed(self) -> None:
        """Handle the close of the socket. Called once for each socket that was opened."""


class Connection(Protocol):
    """An open, authenticated connection to a provider."""

    async def set_subscriptions(self, symbols: frozenset[str], channels: frozenset[Channel] = QUOTES) -> None:
        """Subscribe to these channels of `symbols`, and unsubscribe everything else. Only the difference is sent.

        Returns when the provider has answered. If the provider lacks some of the channels, the others are subscribed.

        Raises:
            StreamError: the provider did not answer in time, or the connection is lost.
        """

    async def run(self) -> None:
        """Pass ticks to the listener until the stream is finished, then return.

        Raises:
            StreamError: the connection is lost.
        """

    async def deliver_arrived_data(self) -> None:
        """Pass what has arrived to the listener, also if the connection pauses between two reads.

        Takes at most a few turns of the event loop, and never raises: `run` reports a lost connection.
        """

    def start_closing(self) -> None:
        """Send what closes the connection, without waiting. The source waits until it is closed.

        The connection may be lost already.
        """


class Source(Protocol):
    """Opens connections to the stream of one provider. It keeps no connection itself."""

    @property
    def name(self) -> str:
        """The `source` field of quotes from this source, with its feed after a colon if there are several."""

    def connect(self, listener: Listener) -> AbstractAsyncContextManager[Connection]:
        """Open one connection. Leaving the context closes it, within 2 s even if the peer is dead.

        Raises:
            StreamError: on entering, if the connection cannot be opened. Cancellation is safe in every phase.
        """

    async def wait_for_fix(self) -> None:
        """Wait until the cause of a fatal failure may be fixed: credentials or files have changed since last used."""

    async def wait_for_rotation(self) -> None:
        """Wait until the credentials of the open connection have changed. The connection must then be replaced."""


class MarketSnapshots(Protocol):
    """Fetches the current market data from a provider, independently of the stream."""

    async def fetch_latest_quotes_and_trades(self, symbols: Sequence[str]) -> MarketSnapshot:
        """Return the newest quote and trade of each of `symbols`, as far as the provider knows them.

        Raises:
            SnapshotError: the snapshot is not available now.
        """


class Sink(Protocol):
    """The document store. Methods do not retry; they raise SinkError, and the same call may then be repeated."""

    async def write_quotes(self, quotes: Sequence[LiveQuote]) -> None:
        """Write whole quote documents. At most 100 per call, each symbol at most once."""

    async def quote_document_times(self, symbols: Iterable[str]) -> Mapping[str, datetime]:
        """Return the `ts` of each quote document of `symbols` that exists."""

    async def write_bars(self, bars: Sequence[LiveBar]) -> None:
        """Write whole bar documents. At most 100 per call, each symbol at most once."""

    async def set_status_of_existing_quotes(self, symbols: Iterable[str], status: QuoteState) -> frozenset[str]:
        """Set `status` on the quote documents that exist, and change nothing else. Return the symbols without one."""

    async def delete_own_quotes_and_bars(self, symbols: Iterable[str]) -> None:
        """Delete the quote and bar documents of `symbols` that this job wrote. Documents of other jobs stay."""

    async def write_gaps(self, gaps: Sequence[IngestGap], *, replace: bool) -> None:
        """Write whole documents of at most 100 gaps. If `replace` is False, documents that exist stay unchanged."""

    async def merge_ingest_states(self, states: Sequence[IngestState]) -> None:
        """Merge each state into its symbol's record. At most 100 per call, each symbol at most once.

        Fields that a state does not have keep their values. A removal is skipped if the record is of another job now.
        """

    async def recorded_symbols_of_job(self) -> frozenset[str]:
        """Return the symbols whose records belong to this job: those for which it has, or may have, documents."""

    async def recorded_pause_starts(self, symbols: Iterable[str]) -> Mapping[str, datetime]:
        """Return since when `symbols` are paused, for those that this job has recorded as paused."""

    async def symbols_recorded_as_paused(self) -> frozenset[str]:
        """Return the symbols of the tenant whose records have `pause_fetch` set, whichever job they belong to."""

    async def write_heartbeat(self, heartbeat: HeartbeatDocument) -> None:
        """Write the heartbeat.

        Raises:
            FencedError: the document is from a later process of the same job. It was not replaced.
        """

    async def stored_heartbeat(self) -> StoredHeartbeat | None:
        """Return the heartbeat document, which can be of another job; None if there is none."""

    async def close(self) -> None:
        """Close the connection to the store."""


class WriteMeter(Protocol):
    """Counts the documents that are written to the document store."""

    def record_sent(self, count: int) -> date:
        """Count documents whose write is sent now. Return the day on which they count."""

    def record_not_written(self, count: int, day: date) -> None:
        """Take documents back that were certainly not written, from the day that `record_sent` returned."""


class SlotPort(Protocol):
    """Stores the claim of the connection slot: the one connection that a provider allows for its credentials."""

    async def read_claim(self) -> SlotClaim | None:
        """Return the current claim; None if there never was one.

        Raises:
            SlotError: the claim cannot be read.
        """

    async def replace_claim_if_unchanged(self, claim: SlotClaim) -> SlotClaim:
        """Replace the claim of version `claim.version`, or create the first claim if that is empty.

        Returns the claim with its new version.

        Raises:
            SlotError: the claim could not be written, or another job has written since.
        """

    async def add_this_job_as_user(self, claim: SlotClaim) -> None:
        """Record that this job waits for the slot of another job's claim, which it read last. The claim stays.

        The stored claim is deleted with the last job that uses it. Without this record, it would be deleted with its
        holder, and this job would connect while the holder still closes its connection.

        Raises:
            SlotError: this could not be recorded.
        """


class SlotError(Exception):
    """The claim of the connection slot cannot be read or written now. The message is a sentence that says why."""


class JobPort(Protocol):
    """Watches the pod's own IngestJob and writes its status."""

    def watch(self) -> AsyncIterator[DeclaredJob | None]:
        """Yield the current job, and again after each change of its spec; None once the job is gone.

        Never raises while the API server is unreachable: it retries indefinitely, and the last value stays valid.
        """

    async def report_status(self, status: StreamStatus) -> None:
        """Write the pod's part of the status.

        Raises:
            ReportError: the API server did not accept it.
        """


class ReportError(Exception):
    """The API server did not accept a status. The message is a sentence, without secrets."""


class StartRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The optional JSON body of `POST /runtime/ingest/start`. Only a standalone runtime accepts fields in it."""

    provider: str | None = None
    symbols: list[str] | None = None
    dry_run: bool | None = None


class Declaration(Protocol):
    """The declaration of the job, as far as HTTP requests can change or reload it."""

    @property
    def generation(self) -> int:
        """The generation of the job that `override_until_reload` and `reload` have last declared; 0 in a cluster."""

    def override_until_reload(self, start_request: StartRequest) -> None:
        """Change the declaration in this process only, until the next reload.

        Raises:
            RequestRefusedError: the change is not possible.
        """

    def reload(self) -> tuple[FileReading, ...]:
        """Read the files that declare the job now, without waiting for the next poll.

        Never raises: if a file cannot be used, its reading has the problem, and its last state stays in force.
        """


class RequestRefusedError(Exception):
    """A request cannot be carried out. The message is a sentence with what to do instead."""


class Controls(Protocol):
    """Operates the pod's own switch for the HTTP interface."""

    async def pause_job(self, reason: str | None) -> bool:
        """Pause the job by the pod's own switch. Return True if the socket was closed and writes flushed in time."""

    async def resume_job(self, start_request: StartRequest) -> tuple[str, ...]:
        """Apply the changes and clear the pod's own switch. Return the sources of the switches that still pause.

        Raises:
            RequestRefusedError: the requested changes are not possible. Nothing has changed.
        """

    async def reload(self) -> ReloadReport:
        """Read the switch file and the files that declare the job, and wait until what they say is applied.

        Never raises: the report has the problems of files that cannot be used.
        """
