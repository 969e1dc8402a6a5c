"""A tap on any provider that writes what it streams as a tape, which provider `replay` can stream again."""

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


class Tape(Protocol):
    """Where quotes are kept."""

    def add(self, ticks: Sequence[Tick]) -> None:
        """Those that came together."""

    def flush(self) -> None:
        """Hands everything over."""


class TapeFile:
    """A new CSV file with the columns of a tape; gzip if its name ends so.

    A disk that is full ends the tape, not the stream.
    """

    def __init__(self, path: Path) -> None:
        """
        Raises:
            OSError: it cannot be written, or there is something in it already.
        """
        self._path = path
        self._is_over = False
        self._flushed_at = time.monotonic()
        if path.is_file() and path.stat().st_size > 0:
            raise FileExistsError(errno.EEXIST, "there is something in it already: name another file, or move it away")
        opened = gzip.open if path.suffix == ".gz" else open
        self._file = cast("IO[str]", opened(path, "wt", encoding="utf-8", newline=""))
        self._rows = csv.writer(self._file, lineterminator="\n")
        self._rows.writerow(COLUMNS)

    def add(self, ticks: Sequence[Tick]) -> None:
        """One row a quote; a side that is not there is empty."""
        with self._while_it_can_be_written():
            for tick in ticks if not self._is_over else ():
                quote = tick.quote()
                at = round(quote.ts.timestamp() * 1000)
                self._rows.writerow((at, quote.symbol, quote.bid, quote.bid_size, quote.ask, quote.ask_size, ""))
            if time.monotonic() - self._flushed_at >= _FLUSH_SECONDS:  # what is lost if the process is killed
                self.flush()

    def flush(self) -> None:
        """Hands everything over to the file."""
        with self._while_it_can_be_written():
            if not self._is_over:
                self._file.flush()
                self._flushed_at = time.monotonic()

    def close(self) -> None:
        """Ends the file. A gzip file is whole only then."""
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
                "--record: %s cannot be written any more (%s): the tape ends here, the stream goes on",
                *(self._path, error.strerror),
                extra={"event_type": "record"},
            )


class RecordingSource:
    """A provider and its tap. The tape goes on over pauses and lost connections."""

    def __init__(self, source: Source, tape: Tape) -> None:
        self.name = source.name
        self._source = source
        self._tape = tape

    @asynccontextmanager
    async def connect(self, listener: Listener) -> AsyncIterator[Connection]:
        """As Source."""
        try:
            async with self._source.connect(_Tap(listener, self._tape)) as connection:
                yield connection
        finally:
            self._tape.flush()

    async def wait_for_fix(self) -> None:
        """As Source."""
        await self._source.wait_for_fix()

    async def wait_for_rotation(self) -> None:
        """As Source."""
        await self._source.wait_for_rotation()


class _Tap:
    """Passes everything on, and quotes to the tape as well."""

    def __init__(self, listener: Listener, tape: Tape) -> None:
        self._listener = listener
        self._tape = tape

    def entered(self, state: StreamState) -> None:
        """As Listener."""
        self._listener.entered(state)

    def received(self, ticks: Sequence[Tick]) -> None:
        """As Listener."""
        self._listener.received(ticks)
        self._tape.add(ticks)

    def traded(self, trades: Sequence[Trade]) -> None:
        """As Listener."""
        self._listener.traded(trades)

    def halted(self, halts: Sequence[Halt]) -> None:
        """As Listener."""
        self._listener.halted(halts)

    def aggregated(self, bars: Sequence[Bar]) -> None:
        """As Listener."""
        self._listener.aggregated(bars)

    def acknowledged(self, confirmed: frozenset[str], rejected: Sequence[SymbolRejection]) -> None:
        """As Listener."""
        self._listener.acknowledged(confirmed, rejected)

    def set_impairment(self, impairment: Impairment | None) -> None:
        """As Listener."""
        self._listener.set_impairment(impairment)

    def closed(self) -> None:
        """As Listener."""
        self._listener.closed()
