import gzip
from pathlib import Path

import pytest

from sluice_simulators.tapes import (
    TapeError,
    TapeQuote,
    last_quotes,
    read_tape,
    write_generated_tape,
    write_tape,
)

QUOTES = [
    TapeQuote(1_381_152_300_289, "BAC", 13.92, 1600, 13.93, 8100, "P"),
    TapeQuote(1_381_152_300_289, "IBM", 181.52, 100, 181.75, 400, "P"),
    TapeQuote(1_381_152_300_999, "BAC", 13.91, 200, 13.93, 8100, "Z"),
]


@pytest.mark.parametrize("name", ["tape.csv", "tape.csv.gz"])
def test_a_tape_is_read_as_it_was_written(tmp_path: Path, name: str) -> None:
    path = write_tape(tmp_path / name, QUOTES)

    assert list(read_tape(path)) == QUOTES


def test_a_tape_whose_name_ends_in_gz_is_gzipped(tmp_path: Path) -> None:
    path = write_tape(tmp_path / "tape.csv.gz", QUOTES)

    assert gzip.decompress(path.read_bytes()).startswith(b"time_ms,symbol,bid,bid_size,ask,ask_size,exchange\n")


def test_integer_and_fractional_sizes_keep_their_type(tmp_path: Path) -> None:
    fraction = TapeQuote(1, "BTC/USD", 64_000.5, 0.25, 64_001.0, 2, "V")

    [back] = read_tape(write_tape(tmp_path / "tape.csv", [fraction]))

    assert (back.bid_size, back.ask_size) == (0.25, 2)
    assert isinstance(back.ask_size, int)


def test_last_quotes_are_the_last_of_each_symbol(tmp_path: Path) -> None:
    path = write_tape(tmp_path / "tape.csv", QUOTES)

    assert last_quotes(path) == {"BAC": QUOTES[2], "IBM": QUOTES[1]}
    assert last_quotes(QUOTES) == last_quotes(path)


def test_a_generated_tape_depends_on_its_seed_alone(tmp_path: Path) -> None:
    first = write_generated_tape(tmp_path / "a.csv", ["AAPL", "MSFT"], 200, seed=7)
    again = write_generated_tape(tmp_path / "b.csv", ["AAPL", "MSFT"], 200, seed=7)
    other = write_generated_tape(tmp_path / "c.csv", ["AAPL", "MSFT"], 200, seed=8)

    assert first.read_bytes() == again.read_bytes()
    assert first.read_bytes() != other.read_bytes()


def test_a_generated_tape_is_in_time_order_and_plausible(tmp_path: Path) -> None:
    quotes = list(read_tape(write_generated_tape(tmp_path / "a.csv", ["AAPL", "MSFT"], 200, seed=7)))

    assert len(quotes) == 200
    assert {quote.symbol for quote in quotes} == {"AAPL", "MSFT"}
    assert [quote.time_ms for quote in quotes] == sorted(quote.time_ms for quote in quotes)
    assert all(0 < quote.bid < quote.ask for quote in quotes)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("time,symbol\n", "columns"),
        ("", "columns"),
        (
            "time_ms,symbol,bid,bid_size,ask,ask_size,exchange\n1,A,1,1,2,2,P\nx,A,1,1,2,2,P\n",
            "tape.csv, line 3",
        ),
        ("time_ms,symbol,bid,bid_size,ask,ask_size,exchange\n1,A,1\n", "tape.csv, line 2"),
    ],
)
def test_the_error_of_an_invalid_tape_names_the_line(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "tape.csv"
    path.write_text(text)

    with pytest.raises(TapeError, match=complaint):
        list(read_tape(path))
