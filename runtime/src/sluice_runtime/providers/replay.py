"""Provider `replay`: streams a recorded tape at any speed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from sluice_contract.replay import TAPE_DIR
from sluice_contract.spec import Channel

from ..adapters.tape_file import open_tape
from ..adapters.tape_rows import parse_tape
from ..domain.failure import StreamError
from ..domain.market import Quote
from ..domain.market_hours import UNKNOWN_HOURS
from ..domain.symbol_spelling import SymbolSpellings
from ..ports import QUOTES, Listener
from ..settings import Settings, SettingsError
from .local import LocalConnection, SourceWithoutServer
from .provider import Provider, ProviderClients

_log = logging.getLogger(__name__)
_STREAM = {"event_type": "stream"}

# How many of the skipped symbols a log line names.
_NAMED_SYMBOLS = 20
_NAME_LENGTH = 40
# At speed 0, other tasks run after this many quotes.
_FRAME = 256
_POLL_SECONDS = 1.0
# What to do if the tape does not exist.
TAPE_IN_VOLUME = (
    "create the ConfigMap that spec.replay.tape.configMapRef names, with the key {name}, or copy it into the volume "
    "that claimRef names"
)
TAPE_BESIDE_DOCUMENT = "copy it to {directory}, or correct spec.replay.tape"


def read_tape(path: Path, remedy: str = TAPE_BESIDE_DOCUMENT) -> Iterator[Quote]:
    """Yield the quotes of a tape in order. A tape is a CSV file as in `parse_tape`, plain or compressed with gzip.

    `remedy` says what to do if the file does not exist, with its `{name}` and `{directory}`.

    Raises:
        StreamError: the file cannot be read as a tape; the message names the line.
    """
    with open_tape(path, remedy) as lines:
        yield from parse_tape(lines, path.name)


class ReplaySource(SourceWithoutServer):
    """The source of provider `replay`. After a pause, the replay continues with the next quote."""

    name = "replay"

    def __init__(self, path: Path, speed: float, remedy: str = TAPE_BESIDE_DOCUMENT) -> None:
        """`remedy` says what to do if the tape does not exist, as for `read_tape`."""
        self._path = path
        self._remedy = remedy
        self.speed = speed
        self._quotes: Iterator[Quote] | None = None
        self.held: Quote | None = None  # read from the tape, not yet passed on

    @asynccontextmanager
    async def connect(self, listener: Listener) -> AsyncIterator[ReplayConnection]:
        """Open a connection that reads the tape from its start, or from where the last connection stopped."""
        listener.on_state("Connecting")
        if self._quotes is None:
            quotes = read_tape(self._path, self._remedy)
            self.held = next(quotes, None)
            self._quotes = quotes
        try:
            yield ReplayConnection(listener, self)
        finally:
            listener.on_socket_closed()

    async def wait_for_fix(self) -> None:
        """Wait until the file of the tape changes, because a tape that cannot be read may have been replaced."""
        before = self._file_version()
        while self._file_version() == before:  # noqa: ASYNC110  a mounted file sends no events
            await asyncio.sleep(_POLL_SECONDS)
        self._quotes = None

    def next_quote(self) -> Quote | None:
        """Return the next quote, and read the one after it from the tape; None at the end of the tape."""
        assert self._quotes is not None  # noqa: S101  connect() came before
        taken = self.held
        try:
            self.held = next(self._quotes, None)
        except StreamError:
            self._quotes = None  # this read has failed, but the tape is not at its end: read it again
            raise
        return taken

    def _file_version(self) -> tuple[int, int] | None:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return None
        return stat.st_mtime_ns, stat.st_size


class ReplayConnection(LocalConnection):
    """Streams the quotes of a tape at the speed of the spec."""

    def __init__(self, listener: Listener, source: ReplaySource) -> None:
        super().__init__(listener)
        self._source = source
        self._subscribed = asyncio.Event()
        self._spellings = SymbolSpellings(())
        self._skipped_rows = 0
        self._skipped_symbols: list[str] = []  # the first of them, as the tape spells them
        self._has_passed = False

    async def set_subscriptions(self, symbols: frozenset[str], channels: frozenset[Channel] = QUOTES) -> None:
        """Set the symbols whose quotes are passed to the listener. The first call starts the replay."""
        await super().set_subscriptions(symbols, channels)
        self._spellings = SymbolSpellings(symbols)
        self._subscribed.set()

    async def run(self) -> None:
        """Stream the tape, and return at its end."""
        await self._subscribed.wait()
        if self._source.held is None:
            return
        began, first = asyncio.get_running_loop().time(), self._source.held.ts
        try:
            while self._source.held is not None:
                await asyncio.sleep(self._seconds_until(self._source.held.ts, first, began))
                self._deliver_batch(self._take_due_quotes(first, began))
            if not self._has_passed:
                _log.warning("the tape has no quotes for the job's symbols", extra=_STREAM)
        finally:
            self._log_skipped_rows()

    def _log_skipped_rows(self) -> None:
        """Log once for each connection how many rows were skipped, and of which symbols."""
        if self._skipped_rows == 0:
            return
        names = [name[:_NAME_LENGTH] for name in self._skipped_symbols[:_NAMED_SYMBOLS]]
        more = " and others" if len(self._skipped_symbols) > _NAMED_SYMBOLS else ""
        _log.warning(
            "the tape has rows of symbols that the job does not stream (%s%s): %d skipped; add the symbols to "
            "spec.symbols if you want them",
            *(", ".join(names), more, self._skipped_rows),
            extra=_STREAM,
        )

    def _count_skipped_row(self, symbol: str) -> None:
        self._skipped_rows += 1
        if len(self._skipped_symbols) <= _NAMED_SYMBOLS and symbol not in self._skipped_symbols:
            self._skipped_symbols.append(symbol)

    def _deliver_batch(self, quotes: list[Quote]) -> None:
        wanted = []
        for quote in quotes:
            symbol = self._spellings.symbol_of(quote.symbol)
            if symbol is None:
                self._count_skipped_row(quote.symbol)
            else:
                wanted.append(quote if symbol == quote.symbol else msgspec.structs.replace(quote, symbol=symbol))
        if wanted:
            self._has_passed = True
            self.listener.on_ticks(wanted)

    def _take_due_quotes(self, first: datetime, began: float) -> list[Quote]:
        due: list[Quote] = []
        while self._source.held is not None and len(due) < _FRAME:
            if self._seconds_until(self._source.held.ts, first, began) > 0:
                break
            quote = self._source.next_quote()
            if quote is not None:
                due.append(quote)
        return due

    def _seconds_until(self, ts: datetime, first: datetime, began: float) -> float:
        if self._source.speed == 0:
            return 0.0
        elapsed = (ts - first).total_seconds() / self._source.speed
        return max(0.0, began + elapsed - asyncio.get_running_loop().time())


def _create_clients(settings: Settings, _environment: Mapping[str, str]) -> ProviderClients:
    block = settings.job.spec.replay
    if block is None:
        raise SettingsError("spec.replay is missing; name the tape in spec.replay.tape")
    directory = settings.files_dir if settings.files_dir is not None else Path(TAPE_DIR)
    remedy = TAPE_BESIDE_DOCUMENT if settings.is_standalone else TAPE_IN_VOLUME
    return ProviderClients(source=ReplaySource(directory / block.tape.relative_path, block.speed, remedy))


# The times of a tape have nothing to do with the time of its replay, so sessions have no effect.
PROVIDER = Provider(title="replay", create_clients=_create_clients, market_hours=lambda _spec: UNKNOWN_HOURS)
