"""Records the quotes of any provider as a tape, which the provider `replay` can stream again."""

from __future__ import annotations

import csv
import errno
import gzip
import logging
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Protocol, cast

from sluice_contract.status import StreamState
from sluice_contract.symbol_counts import SymbolRejection

from ..domain.clock_skew import ClockReading
from ..domain.failure import Impairment
from ..domain.market import Bar, Halt, Tick, Trade, TradeEvent
from ..ports import Connection, Listener, Source
from .tape_rows import COLUMNS

_log = logging.getLogger(__name__)
_FLUSH_SECONDS = 1.0


class TapeWriter(Protocol):
    """A tape as the recording needs it: it takes batches of ticks, and writes them out on `flush`."""

    def add_ticks(self, ticks: Sequence[Tick]) -> None:
        """Add one batch of ticks."""

    def flush(self) -> None:
        """Write out all buffered ticks."""


class TapeFile:
    """A tape in a new CSV file, which is compressed if its name ends in .gz.

    If the disk is full, the tape ends and the stream continues.
    """

    def __init__(self, path: Path) -> None:
        """
        Raises:
            OSError: the file cannot be written, or is not empty.
        """
        self._path = path
        self._is_over = False
        self._flushed_at = time.monotonic()
        if path.is_file() and path.stat().st_size > 0:
            raise FileExistsError(errno.EEXIST, "the file is not empty; name another file, or move it away")
        opened = gzip.open if path.suffix == ".gz" else open
        self._file = cast("IO[str]", opened(path, "wt", encoding="utf-8", newline=""))
        self._rows = csv.writer(self._file, lineterminator="\n")
        self._rows.writerow(COLUMNS)

    def add_ticks(self, ticks: Sequence[Tick]) -> None:
        """Write one row per quote. A missing bid or ask leaves its columns empty."""
        with self._ending_tape_on_error():
            for tick in ticks if not self._is_over else ():
                quote = tick.to_quote()
                self._rows.writerow(
                    (_unix_ms(quote.ts), quote.symbol, quote.bid, quote.bid_size, quote.ask, quote.ask_size, "")
                )
            if time.monotonic() - self._flushed_at >= _FLUSH_SECONDS:  # limits the loss if the process is killed
                self.flush()

    def add_trades(self, trades: Sequence[Trade]) -> None:
        """Write one row per trade of a gap: `trade`, price and size follow the symbol."""
        self._write_rows((_unix_ms(each.ts), each.symbol, "trade", each.price, each.size, "", "") for each in trades)

    def add_bars(self, bars: Sequence[Bar]) -> None:
        """Write one row per bar of a gap: `bar:VOLUME`, open, high, low and close follow the symbol."""
        self._write_rows(
            (_unix_ms(each.ts), each.symbol, f"bar:{each.volume}", each.open, each.high, each.low, each.close)
            for each in bars
        )

    def _write_rows(self, rows: Iterable[Sequence[object]]) -> None:
        with self._ending_tape_on_error():
            if not self._is_over:
                self._rows.writerows(rows)

    def flush(self) -> None:
        """Write all buffered rows to the file."""
        with self._ending_tape_on_error():
            if not self._is_over:
                self._file.flush()
                self._flushed_at = time.monotonic()

    def close(self) -> None:
        """Close the file. A gzip file is complete only then."""
        with self._ending_tape_on_error():
            self._file.close()

    @contextmanager
    def _ending_tape_on_error(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._is_over = True
            with suppress(OSError):
                self._file.close()
            _log.error(
                "--record: cannot write %s (%s); the tape ends here, the stream continues",
                *(self._path, error.strerror),
                extra={"event_type": "record"},
            )


def _unix_ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


class QuoteRecordingSource:
    """A source that also records its quotes on a tape. The tape continues across pauses and lost connections."""

    def __init__(self, source: Source, tape: TapeWriter) -> None:
        self.name = source.name
        self._source = source
        self._tape = tape

    @asynccontextmanager
    async def connect(self, listener: Listener) -> AsyncIterator[Connection]:
        """Open a connection of the wrapped source. When the connection closes, the tape is flushed."""
        try:
            async with self._source.connect(_RecordingListener(listener, self._tape)) as connection:
                yield connection
        finally:
            self._tape.flush()

    async def wait_for_fix(self) -> None:
        await self._source.wait_for_fix()

    async def wait_for_rotation(self) -> None:
        await self._source.wait_for_rotation()


class _RecordingListener:
    """Passes all events on to the listener, and quotes to the tape too."""

    def __init__(self, listener: Listener, tape: TapeWriter) -> None:
        self._listener = listener
        self._tape = tape

    def on_state(self, state: StreamState) -> None:
        self._listener.on_state(state)

    def on_ticks(self, ticks: Sequence[Tick]) -> None:
        self._listener.on_ticks(ticks)
        self._tape.add_ticks(ticks)

    def on_trades(self, events: Sequence[TradeEvent]) -> None:
        self._listener.on_trades(events)

    def on_halts(self, halts: Sequence[Halt]) -> None:
        self._listener.on_halts(halts)

    def on_bars(self, bars: Sequence[Bar]) -> None:
        self._listener.on_bars(bars)

    def on_provider_time(self, reading: ClockReading) -> None:
        self._listener.on_provider_time(reading)

    def on_acknowledgement(self, confirmed: frozenset[str], rejected: Sequence[SymbolRejection]) -> None:
        self._listener.on_acknowledgement(confirmed, rejected)

    def on_impairment(self, impairment: Impairment | None) -> None:
        self._listener.on_impairment(impairment)

    def on_credentials(self, generation: int, problem: str | None) -> None:
        self._listener.on_credentials(generation, problem)

    def on_socket_closed(self) -> None:
        self._listener.on_socket_closed()
