"""Tapes as programs and spreadsheets write them. Also looked for: quoted cells, another column order, decimal commas,
blank cells at the end of lines, relative times, a second header, times beyond the calendar."""

from datetime import UTC, datetime

import pytest

from sluice_runtime.adapters.tape_rows import TapeError, parse_tape, parse_tape_events
from sluice_runtime.domain.market import Bar, Quote, Trade

HEADER = "time_ms,symbol,bid,bid_size,ask,ask_size,exchange"
LINE = "1795860000000,SPY,600.01,100,600.03,200,V"
QUOTE = Quote(
    symbol="SPY",
    ts=datetime(2026, 11, 28, 10, 0, tzinfo=UTC),
    bid=600.01,
    ask=600.03,
    bid_size=100.0,
    ask_size=200.0,
)


def parse(*lines: str) -> list[Quote]:
    return list(parse_tape([line + "\n" for line in lines], "t.csv"))


def sentence(*lines: str) -> str:
    with pytest.raises(TapeError) as error:
        parse(*lines)
    return str(error.value)


@pytest.mark.parametrize(
    "lines",
    [
        (HEADER, LINE),
        ("", "  ", HEADER, "", LINE, ",,,,,,", ""),
        (HEADER.upper(), LINE),
        ("Time ms, Symbol, Bid, Bid Size, Ask, Ask-Size, Exchange", LINE.replace(",", " , ")),
        (HEADER.replace(",", ";"), LINE.replace(",", ";")),
        (HEADER.replace(",", "\t"), LINE.replace(",", "\t")),
        ("sep=;", HEADER.replace(",", ";"), LINE.replace(",", ";")),
        (HEADER + ",,", LINE + ",,"),
        (HEADER.removesuffix(",exchange"), LINE.removesuffix(",V")),
        ("symbol,time_ms,ask,ask_size,bid,bid_size", "SPY,1795860000000,600.03,200,600.01,100"),
        (HEADER.replace("time_ms", "timestamp"), LINE),
        (",".join(f'"{each}"' for each in HEADER.split(",")), ",".join(f'"{each}"' for each in LINE.split(","))),
    ],
    ids=["plain", "blank lines", "upper case", "spaces", "semicolons", "tabs", "sep line", "empty columns",
         "no exchange", "other order", "timestamp", "quoted"],
)  # fmt: skip
def test_a_tape_is_the_same_in_all_its_forms(lines: tuple[str, ...]) -> None:
    assert parse(*lines) == [QUOTE]


@pytest.mark.parametrize(
    "time",
    ["1795860000", "1795860000.0", "1795860000000", "1795860000000000", "1795860000000000000", "2026-11-28T10:00:00Z",
     "2026-11-28 05:00:00-05:00", "2026-11-28T10:00:00.000000000+00:00"],
)  # fmt: skip
def test_the_unit_of_a_time_is_known_from_its_size(time: str) -> None:
    assert parse(HEADER, LINE.replace("1795860000000", time)) == [QUOTE]


@pytest.mark.parametrize(
    ("time", "microsecond"),
    [("1795860000.25", 250_000), ("1795860000250.5", 250_500), ("1795860000250500", 250_500),
     ("1795860000250500999", 250_500)],
)  # fmt: skip
def test_fractions_of_a_time_are_kept_to_the_microsecond(time: str, microsecond: int) -> None:
    [quote] = parse(HEADER, LINE.replace("1795860000000", time))
    assert quote.ts == QUOTE.ts.replace(microsecond=microsecond)


@pytest.mark.parametrize(("column", "seconds"), [("time_ms", 1.5), ("time_s", 1500), ("time_us", 0.0015)])
def test_a_time_from_the_start_of_the_tape_is_in_the_unit_of_its_column(column: str, seconds: float) -> None:
    [quote] = parse(HEADER.replace("time_ms", column), LINE.replace("1795860000000", "1500"))
    assert quote.ts.timestamp() == seconds


def test_a_mistake_is_reported_with_the_line_of_the_file() -> None:
    found = sentence("", HEADER, LINE, "", LINE.replace("600.01", "abc"))
    assert found == "line 5 of the tape t.csv is not a quote: bid is not a number; write a number"
    found = sentence(HEADER.replace(",", ";"), LINE.replace(",", ";").replace("600.03", "600,03"))
    assert found == "line 2 of the tape t.csv is not a quote: ask is not a number; write a number with a decimal point"
    assert sentence(HEADER, LINE, HEADER).startswith("line 3 of the tape t.csv is not a quote: bid is not a number")


@pytest.mark.parametrize("header", ["", LINE, HEADER + ",bid", HEADER + ",venue", "time_ms,time_s," + HEADER[8:]])
def test_a_header_with_other_columns_is_an_error_that_says_what_to_write(header: str) -> None:
    found = sentence(header, LINE) if header else sentence()
    problem = "in line 1 are not those of a tape" if header else "are missing"
    assert found == f"the columns of the tape t.csv {problem}; write the header {HEADER}"


def test_trades_and_bars_are_events_of_a_tape_and_a_replay_leaves_them_out() -> None:
    lines = (HEADER, LINE, "1795860000000,SPY,trade,600.02,10,,", "1795860000000,SPY,bar:1000,600,601,599,600.5")
    trade = Trade(symbol="SPY", ts=QUOTE.ts, price=600.02, size=10)
    bar = Bar(symbol="SPY", ts=QUOTE.ts, open=600, high=601, low=599, close=600.5, volume=1000)

    assert list(parse_tape_events(lines, "t.csv")) == [QUOTE, trade, bar]
    assert parse(*lines) == [QUOTE]
    for bad in ("1795860000000,SPY,trade,x,10,,", "1795860000000,SPY,bar:1,600,601,599", "1,SPY,bar:,1,1,1,x"):
        with pytest.raises(TapeError, match=r"line 2 of the tape t\.csv"):
            list(parse_tape_events((HEADER, bad), "t.csv"))
