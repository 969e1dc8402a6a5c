"""The interface to a destination of the runtime's data besides the document store, whose interface is `ports.Sink`.

The document store also keeps what the next process of the job reads back: the epoch, the records and the pauses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sluice_contract.documents import HeartbeatDocument, IngestState
from sluice_contract.gap_documents import IngestGap

from .domain.market import Bar, Tick


class Destination(Protocol):
    """A place to which all data of a job is published. It has its own budget, circuit breaker and health.

    The methods `publish_…` return immediately, so that no destination delays the stream, the document store or another
    destination. They keep the data until `run` sends it within the destination's own budget. What is kept is bounded:
    the newest quote and bar of each symbol, the newest record of each symbol, and the newest heartbeat.
    """

    @property
    def name(self) -> str:
        """The name in logs and in the label `destination` of metrics, such as nats."""

    def publish_quotes(self, ticks: Sequence[Tick]) -> None:
        """Publish quotes of the desired symbols, in the order of their arrival. A quote can be older than the last."""

    def publish_bars(self, bars: Sequence[Bar]) -> None:
        """Publish bars of the desired symbols. A later bar of the same symbol and time replaces the earlier one."""

    def publish_records(self, records: Sequence[IngestState]) -> None:
        """Publish records that have changed. The record of a removed symbol is its last one."""

    def publish_gaps(self, gaps: Sequence[IngestGap]) -> None:
        """Publish gaps that have ended. A later gap with the same `document_id` replaces the earlier one."""

    def publish_heartbeat(self, heartbeat: HeartbeatDocument) -> None:
        """Publish a heartbeat, which replaces the one before."""

    async def run(self) -> None:
        """Send what is published, until cancelled. After a failure, wait and try again."""

    async def drain(self) -> None:
        """Send what is kept now, without the budget, and drop the quotes and bars that were not accepted.

        It is called when a pause begins, while `run` runs, and at the end of the process, after `run` was cancelled.
        A pause is acknowledged when all destinations are drained, so this is cancelled after 3 s; while the circuit
        breaker is open, nothing is sent.
        """

    async def close(self) -> None:
        """Close the connection. Nothing more is sent."""


class PausableWrites(Protocol):
    """The writes of quotes, which a pause stops."""

    async def drain_and_close(self) -> None:
        """Write what is pending, for a limited time, and then nothing until `reopen_and_requeue_dropped`."""

    def reopen_and_requeue_dropped(self) -> None:
        """Allow writes again, also of what `drain_and_close` has dropped."""
