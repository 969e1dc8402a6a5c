"""Records the quotes of any provider as a tape, which the provider `replay` can stream again."""

from __future__ import annotations

import csv
import errno
import gzip
import logging
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol, cast

from sluice_contract.status import StreamState, SymbolRejection

from ..domain.failure import Impairment
from ..domain.market import Bar, Halt, Tick, Trade
from ..ports import Connection, Listener, Source
from .replay import COLUMNS

_log = logging.getLogger(__name__)
_FLUSH_SECONDS = 1.0


class TapeWriter(Protocol):
    """The destination of recorded quotes."""

    def add(self, ticks: Sequence[Tick]) -> None:
        """Add one batch of ticks."""

    def flush(self) -> None:
        """Write out everything that is buffered."""


class TapeFile:
    """A new CSV file with the columns of a tape; compressed if its name ends in .gz.

    A full disk ends the tape, not the stream.
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

    def add(self, ticks: Sequence[Tick]) -> None:
        """Write one row per quote. A missing side is empty."""
        with self._while_it_can_be_written():
            for tick in ticks if not self._is_over else ():
                quote = tick.to_quote()
                at = round(quote.ts.timestamp() * 1000)
                self._rows.writerow((at, quote.symbol, quote.bid, quote.bid_size, quote.ask, quote.ask_size, ""))
            if time.monotonic() - self._flushed_at >= _FLUSH_SECONDS:  # limits the loss if the process is killed
                self.flush()

    def flush(self) -> None:
        """Write all buffered rows to the file."""
        with self._while_it_can_be_written():
            if not self._is_over:
                self._file.flush()
                self._flushed_at = time.monotonic()

    def close(self) -> None:
        """Close the file. Only then is a gzip file complete."""
        with self._while_it_can_be_written():
            self._file.close()

    @contextmanager
    def _while_it_can_be_written(self) -> Iterator[None]:
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


class RecordingSource:
    """A source whose quotes are also recorded. The tape continues across pauses and lost connections."""

    def __init__(self, source: Source, tape: TapeWriter) -> None:
        self.name = source.name
        self._source = source
        self._tape = tape

    @asynccontextmanager
    async def connect(self, listener: Listener) -> AsyncIterator[Connection]:
        """Open a connection of the wrapped source. Closing it flushes the tape."""
        try:
            async with self._source.connect(_Tap(listener, self._tape)) as connection:
                yield connection
        finally:
            self._tape.flush()

    async def wait_for_fix(self) -> None:
        await self._source.wait_for_fix()

    async def wait_for_rotation(self) -> None:
        await self._source.wait_for_rotation()


class _Tap:
    """Passes everything on to the listener, and quotes to the tape as well."""

    def __init__(self, listener: Listener, tape: TapeWriter) -> None:
        self._listener = listener
        self._tape = tape

    def entered(self, state: StreamState) -> None:
        self._listener.entered(state)

    def received(self, ticks: Sequence[Tick]) -> None:
        self._listener.received(ticks)
        self._tape.add(ticks)

    def traded(self, trades: Sequence[Trade]) -> None:
        self._listener.traded(trades)

    def halted(self, halts: Sequence[Halt]) -> None:
        self._listener.halted(halts)

    def aggregated(self, bars: Sequence[Bar]) -> None:
        self._listener.aggregated(bars)

    def acknowledged(self, confirmed: frozenset[str], rejected: Sequence[SymbolRejection]) -> None:
        self._listener.acknowledged(confirmed, rejected)

    def set_impairment(self, impairment: Impairment | None) -> None:
        self._listener.set_impairment(impairment)

    def closed(self) -> None:
        self._listener.closed()
