"""Tapes, which are recorded quotes: CSV, optionally gzipped, one quote per line, in time order."""

import csv
import gzip
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO, cast

COLUMNS = ("time_ms", "symbol", "bid", "bid_size", "ask", "ask_size", "exchange")
FIRST_TIME_MS = 1_381_152_600_000
EXCHANGES = "PQTZ"


class TapeError(ValueError):
    """A tape has the wrong columns or an invalid cell; the message names the file and the line."""


@dataclass(frozen=True, slots=True)
class TapeQuote:
    """One quote: time in Unix milliseconds (UTC), prices in dollars, sizes in shares, and the SIP exchange letter."""

    time_ms: int
    symbol: str
    bid: float
    bid_size: float
    ask: float
    ask_size: float
    exchange: str = "V"


def read_tape(path: Path) -> Iterator[TapeQuote]:
    """Yield the quotes of a `.csv` or `.csv.gz` file in the file's order; raise TapeError at the first invalid line."""
    with _open_text(path, "r") as lines:
        rows = csv.reader(lines)
        header = tuple(next(rows, ()))
        if header != COLUMNS:
            raise TapeError(f"{path.name}: columns are {header}, not {COLUMNS}")
        for row in rows:
            if len(row) > 2 and row[2].startswith(("trade", "bar:")):
                continue  # a trade or bar that the runtime fetched after a gap
            yield _parse_quote(path, rows.line_num, row)


def write_tape(path: Path, quotes: Iterable[TapeQuote]) -> Path:
    """Write the quotes in the given order, gzipped if the name ends in .gz, and return the path."""
    with _open_text(path, "w") as lines:
        rows = csv.writer(lines, lineterminator="\n")
        rows.writerow(COLUMNS)
        rows.writerows([getattr(quote, column) for column in COLUMNS] for quote in quotes)
    return path


def last_quotes(tape: Path | Iterable[TapeQuote]) -> dict[str, TapeQuote]:
    """Return the last quote of each symbol, which a consumer that missed nothing holds at the end of the tape."""
    quotes = read_tape(tape) if isinstance(tape, Path) else tape
    return {quote.symbol: quote for quote in quotes}


def generate_quotes(symbols: Sequence[str], quotes: int, seed: int) -> Iterator[TapeQuote]:
    """Yield random-walk quotes, the same for the same arguments.

    Successive quotes are 0 to 20 ms apart, so that some share a millisecond.
    """
    source = random.Random(seed)
    time_ms = FIRST_TIME_MS
    cents = {symbol: source.randrange(1_000, 50_000) for symbol in symbols}
    for _ in range(quotes):
        symbol = source.choice(symbols)
        time_ms += source.randrange(21)
        cents[symbol] = max(100, cents[symbol] + source.randrange(-5, 6))
        yield _random_walk_quote(source, time_ms, symbol, cents[symbol])


def write_generated_tape(path: Path, symbols: Sequence[str], quotes: int, seed: int) -> Path:
    """Write a tape of random-walk quotes and return the path."""
    return write_tape(path, generate_quotes(symbols, quotes, seed))


def _random_walk_quote(source: random.Random, time_ms: int, symbol: str, cents: int) -> TapeQuote:
    return TapeQuote(
        time_ms=time_ms,
        symbol=symbol,
        bid=cents / 100,
        bid_size=100 * source.randrange(1, 50),
        ask=(cents + source.randrange(1, 4)) / 100,
        ask_size=100 * source.randrange(1, 50),
        exchange=source.choice(EXCHANGES),
    )


def _parse_quote(path: Path, line: int, row: list[str]) -> TapeQuote:
    try:
        time_ms, symbol, bid, bid_size, ask, ask_size, exchange = row
        return TapeQuote(
            int(time_ms), symbol, float(bid), _parse_size(bid_size), float(ask), _parse_size(ask_size), exchange
        )
    except ValueError as error:
        raise TapeError(f"{path.name}, line {line}: {error}") from error


def _parse_size(cell: str) -> float:
    # Stock sizes are whole numbers (Alpaca sends integers); a crypto tape has fractions.
    return int(cell) if cell.isdigit() else float(cell)


@contextmanager
def _open_text(path: Path, mode: str) -> Iterator[TextIO]:
    if path.suffix == ".gz":
        with gzip.open(path, mode + "t", encoding="utf-8", newline="") as lines:
            yield cast(TextIO, lines)
    else:
        with path.open(mode, encoding="utf-8", newline="") as lines:
            yield cast(TextIO, lines)
