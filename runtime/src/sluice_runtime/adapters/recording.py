"""Records the quotes of any provider as a tape, which can be streamed again."""

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

from ..domain.market import Bar, Tick, Trade
from ..ports import Connection, Listener, Source
from .forwarding_listener import ForwardingListener
from .forwarding_source import ForwardingSource
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


class QuoteRecordingSource(ForwardingSource):
    """A source that also records its quotes on a tape. The tape continues across pauses and lost connections."""

    def __init__(self, source: Source, tape: TapeWriter) -> None:
        super().__init__(source, lambda listener: _RecordingListener(listener, tape))
        self._tape = tape

    @asynccontextmanager
    async def connect(self, listener: Listener) -> AsyncIterator[Connection]:
        """Open a connection of the wrapped source. When the connection closes, the tape is flushed."""
        try:
            async with super().connect(listener) as connection:
                yield connection
        finally:
            self._tape.flush()


class _RecordingListener(ForwardingListener):
    """Passes all events on to the listener, and quotes to the tape too."""

    def __init__(self, listener: Listener, tape: TapeWriter) -> None:
        super().__init__(listener)
        self._tape = tape

    def on_ticks(self, ticks: Sequence[Tick]) -> None:
        self._listener.on_ticks(ticks)
        self._tape.add_ticks(ticks)
