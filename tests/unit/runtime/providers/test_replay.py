import asyncio
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from sluice_runtime.aio.waiting import run_with_timeout
from sluice_runtime.domain.failure import StreamError
from sluice_runtime.domain.market import Tick
from sluice_runtime.providers.replay import TAPE_IN_VOLUME, ReplayConnection, ReplaySource, read_tape
from sluice_simulators.tapes import FIRST_TIME_MS, TapeQuote, generate_quotes, write_generated_tape, write_tape
from support.encodings import ENCODINGS, Encode
from support.fake_listener import FakeListener
from support.virtual_time import seconds

HEADER = "time_ms,symbol,bid,bid_size,ask,ask_size,exchange\n"
LINE = f"{FIRST_TIME_MS},AAPL,100.0,1,100.1,2,V\n"


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    """A tape with ten quotes of two symbols, half a second apart."""
    quotes = [
        TapeQuote(FIRST_TIME_MS + n * 500, "AAPL" if n % 2 else "MSFT", 100.0 + n, 1, 101.0 + n, 2) for n in range(10)
    ]
    return write_tape(tmp_path / "tape.csv", quotes)


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "tape.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


async def stream(source: ReplaySource, listener: FakeListener, *symbols: str, limit: float | None = None) -> bool:
    """Stream until the tape ends or `limit` seconds pass; return whether it ended."""
    async with source.connect(listener) as connection:
        await connection.set_subscriptions(frozenset(symbols or {"AAPL", "MSFT"}))
        return await run_with_timeout(limit, connection.run())


def bids(ticks: list[Tick]) -> list[float | None]:
    return [tick.to_quote().bid for tick in ticks]


async def test_a_tape_is_streamed_at_its_own_pace(tape: Path) -> None:
    listener = FakeListener()
    assert await stream(ReplaySource(tape, 1.0), listener)
    assert [moment for moment, _ in listener.frames] == pytest.approx([n * 0.5 for n in range(10)])
    assert bids(listener.ticks) == [100.0 + n for n in range(10)]


@pytest.mark.parametrize(("speed", "took"), [(0.5, 9.0), (10.0, 0.45), (0, 0.0)])
async def test_the_pace_can_be_changed(tape: Path, speed: float, took: float) -> None:
    listener = FakeListener()
    assert await stream(ReplaySource(tape, speed), listener)
    assert seconds() == pytest.approx(took)
    assert len(listener.ticks) == 10


async def test_a_tape_without_quotes_of_the_job_s_symbols_is_logged(
    tape: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert await stream(ReplaySource(tape, 0), FakeListener(), "SPY")
    assert await stream(ReplaySource(tape, 0), FakeListener(), "AAPL")
    none, skipped, others = caplog.messages
    assert none == "the tape has no quotes for the job's symbols"
    assert skipped.startswith("the tape has rows of symbols that the job does not stream (MSFT, AAPL): 10 skipped;")
    assert others.startswith("the tape has rows of symbols that the job does not stream (MSFT): 5 skipped; add")


async def test_the_first_20_symbols_of_skipped_rows_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lines = "".join(LINE.replace("AAPL", f"X{n % 50}" + "Y" * 50) for n in range(200))
    assert await stream(ReplaySource(written(tmp_path, HEADER + LINE + lines), 0), FakeListener(), "AAPL")
    [sentence] = caplog.messages
    assert sentence.count("X") == 20
    assert " and others): 200 skipped;" in sentence
    assert len(sentence) < 1000


async def test_a_pause_logs_the_rows_that_were_skipped_before_it(tape: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = ReplaySource(tape, 1.0)
    assert not await stream(source, FakeListener(), "AAPL", limit=2.2)
    assert await stream(source, FakeListener(), "AAPL", "MSFT")
    [sentence] = caplog.messages
    assert "(MSFT): 3 skipped" in sentence


async def test_other_spellings_of_a_symbol_are_streamed_as_the_job_s_symbol(tmp_path: Path) -> None:
    lines = "".join(LINE.replace("AAPL", spelling) for spelling in ("aapl", "BRK-B", "BTCUSD"))
    listener = FakeListener()
    await stream(ReplaySource(written(tmp_path, HEADER + lines), 0), listener, "AAPL", "BRK.B", "BTC/USD")
    assert [tick.symbol for tick in listener.ticks] == ["AAPL", "BRK.B", "BTC/USD"]


@pytest.mark.parametrize("speed", [0, 1.0, 1000.0])
async def test_two_replays_are_identical(tmp_path: Path, speed: float) -> None:
    path = write_generated_tape(tmp_path / "tape.csv.gz", ["AAPL", "MSFT", "SPY"], 2_000, 7)
    runs = []
    for _ in range(2):
        listener = FakeListener()
        await stream(ReplaySource(path, speed), listener, "AAPL", "MSFT", "SPY")
        runs.append(listener.ticks)
    assert runs[0] == runs[1]
    assert len(runs[0]) == 2_000


async def test_only_what_is_subscribed_is_passed_on(tape: Path) -> None:
    listener = FakeListener()
    await stream(ReplaySource(tape, 0), listener, "AAPL")
    assert {tick.symbol for tick in listener.ticks} == {"AAPL"}
    assert len(listener.ticks) == 5


async def test_a_resumed_tape_continues_where_it_was_paused(tape: Path) -> None:
    source, listener = ReplaySource(tape, 1.0), FakeListener()
    assert not await stream(source, listener, limit=2.2)
    assert bids(listener.ticks) == [100, 101, 102, 103, 104]
    await asyncio.sleep(1000)
    assert await stream(source, listener)
    assert bids(listener.ticks) == [100.0 + n for n in range(10)]
    assert listener.frames[5][0] == pytest.approx(1002.2)
    assert seconds() == pytest.approx(1002.2 + 2.0)


async def test_a_finished_tape_stays_finished(tape: Path) -> None:
    source, listener = ReplaySource(tape, 0), FakeListener()
    assert await stream(source, listener)
    assert await stream(source, listener, limit=10)
    assert len(listener.ticks) == 10


async def test_no_quotes_are_delivered_before_the_subscription(tape: Path) -> None:
    listener = FakeListener()
    async with ReplaySource(tape, 0).connect(listener) as connection:
        assert isinstance(connection, ReplayConnection)
        assert not await run_with_timeout(10, connection.run())
    assert listener.ticks == []
    assert listener.history == ["Connecting", "closed"]


async def test_a_tape_at_full_speed_does_not_block_other_tasks(tmp_path: Path) -> None:
    path = write_generated_tape(tmp_path / "tape.csv", ["AAPL"], 2_000, 7)
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await stream(ReplaySource(path, 0), FakeListener(), "AAPL")
    task.cancel()
    assert turns >= 5


def test_plain_and_gzipped_tapes_are_distinguished_by_their_content(tmp_path: Path) -> None:
    plain = written(tmp_path, HEADER + LINE)
    packed = tmp_path / "odd-name"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert list(read_tape(plain)) == list(read_tape(packed))


def test_a_written_tape_is_read_back_unchanged(tmp_path: Path) -> None:
    made = list(generate_quotes(["AAPL", "MSFT"], 200, 3))
    read = list(read_tape(write_tape(tmp_path / "t.csv", made)))
    assert [(q.symbol, q.bid, q.ask, q.bid_size) for q in read] == [(q.symbol, q.bid, q.ask, q.bid_size) for q in made]
    assert [round(q.ts.timestamp() * 1000) for q in read] == [q.time_ms for q in made]


def test_an_empty_or_zero_side_is_absent(tmp_path: Path) -> None:
    lines = f"{FIRST_TIME_MS},AAPL,,,100.1,2,V\n{FIRST_TIME_MS},AAPL,100.0,1,0,0,V\n"
    first, second = read_tape(written(tmp_path, HEADER + lines))
    assert (first.bid, first.bid_size, first.ask) == (None, None, 100.1)
    assert (second.bid, second.ask, second.ask_size) == (100.0, None, None)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("yesterday,AAPL,1,1,1,1,V", "the time has another form"),
        (f"{FIRST_TIME_MS},AAPL,one,1,1,1,V", "bid is not a number"),
        (f"{FIRST_TIME_MS},AAPL,1,1,1,1", "it has 6 cells"),
        (f"{FIRST_TIME_MS},AAPL,1,1,1,1,V,V", "it has 8 cells"),
        (f"{FIRST_TIME_MS},,1,1,1,1,V", "the symbol is empty"),
        (f"{FIRST_TIME_MS},AAPL,nan,1,1,1,V", "write a number"),
        ("2026-11-28T10:00:00,AAPL,1,1,1,1,V", "has no time zone"),
        ("1.79586E+12,AAPL,1,1,1,1,V", "write Unix time"),
        ("9" * 30 + ",AAPL,1,1,1,1,V", "beyond the year 9999"),
        ("9" * 400 + ",AAPL,1,1,1,1,V", "beyond the year 9999"),
        ("9" * 5000 + ",AAPL,1,1,1,1,V", ""),
    ],
    ids=["time", "price", "six", "eight", "symbol", "NaN", "zone", "rounded", "year", "number", "digits"],
)
def test_an_invalid_line_is_named(tmp_path: Path, line: str, why: str) -> None:
    path = written(tmp_path, HEADER + LINE + line + "\n" + LINE)
    with pytest.raises(StreamError, match=f"^line 3 of the tape tape.csv is not a quote: .*{why}") as failure:
        list(read_tape(path))
    assert failure.value.kind == "configuration"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "the columns of the tape tape.csv are missing; write the header time_ms,symbol"),
        (b"a,b,c\n1,2,3\n", "tape.csv in line 1 are not those of a tape; write the header time_ms,symbol"),
        (b"\xff\xfe\x00", "the tape tape.csv cannot be read"),
        (gzip.compress((HEADER + LINE * 99).encode())[:-20], "the tape tape.csv cannot be read"),
        (b"\x1f\x8b\x08\x00not a deflate stream", "the tape tape.csv cannot be read"),
        (gzip.compress((HEADER + LINE).encode())[:-8] + b"\0" * 8, "the tape tape.csv cannot be read"),
        (HEADER.encode() + b'"' + b"x" * 200_000, "the tape tape.csv cannot be read"),
    ],
    ids=["empty", "other columns", "not UTF-8", "cut off", "not deflated", "bad checksum", "endless cell"],
)
def test_a_file_that_is_not_a_tape_is_reported_with_a_message(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(StreamError, match=sentence) as failure:
        list(read_tape(written(tmp_path, content)))
    assert failure.value.kind == "configuration"


async def test_a_missing_tape_says_what_to_create(tmp_path: Path) -> None:
    source = ReplaySource(tmp_path / "tape.csv.gz", 1.0, TAPE_IN_VOLUME)
    with pytest.raises(StreamError, match=r"create the ConfigMap .* with the key tape.csv.gz"):
        await stream(source, FakeListener())


async def test_the_appearance_of_the_tape_ends_the_wait_for_a_fix(tmp_path: Path) -> None:
    source = ReplaySource(tmp_path / "tape.csv", 0)
    with pytest.raises(StreamError):
        await stream(source, FakeListener())
    task = asyncio.create_task(source.wait_for_fix())
    await asyncio.sleep(100)
    assert not task.done()
    written(tmp_path, HEADER + LINE)
    await asyncio.wait_for(task, 2)
    listener = FakeListener()
    assert await stream(source, listener)
    assert len(listener.ticks) == 1


async def test_a_repaired_tape_starts_again(tmp_path: Path) -> None:
    source, listener = ReplaySource(written(tmp_path, HEADER + LINE + "bad\n"), 0), FakeListener()
    with pytest.raises(StreamError, match="line 3"):
        await stream(source, listener)
    task = asyncio.create_task(source.wait_for_fix())
    await asyncio.sleep(1)
    written(tmp_path, HEADER + LINE * 3)
    await task
    listener = FakeListener()
    assert await stream(source, listener)
    assert len(listener.ticks) == 3


async def test_an_invalid_tape_is_still_reported_after_a_pause(tmp_path: Path) -> None:
    source = ReplaySource(written(tmp_path, HEADER + LINE + "bad\n"), 0)
    for _ in range(3):
        with pytest.raises(StreamError, match="line 3"):
            await stream(source, FakeListener())


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_tape_is_the_same_in_every_encoding(
    tmp_path: Path, encode: Encode, ending: str, pack: Callable[[bytes], bytes]
) -> None:
    expected = list(read_tape(written(tmp_path, HEADER + LINE * 9)))
    path = written(tmp_path, pack(encode((HEADER + LINE * 9).replace("\n", ending))))
    assert list(read_tape(path)) == expected
    assert len(expected) == 9


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ((HEADER + LINE).encode("utf-16-le"), "UTF-16 (little-endian) without a byte order mark"),
        ((HEADER + LINE).encode("utf-16-be"), "UTF-16 (big-endian) without a byte order mark"),
        ((HEADER + LINE).encode("utf-32-le"), "UTF-32 (little-endian) without a byte order mark"),
        ((HEADER + LINE).encode("utf-16")[:-1], "byte order mark of UTF-16"),
        ((HEADER + LINE.replace("V", "\u00e9")).encode("latin-1"), "Latin-1 or Windows-1252"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_tape_in_another_encoding_is_an_error_that_names_it(
    tmp_path: Path, content: bytes, name: str, pack: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(StreamError, match=r"^the tape tape\.csv cannot be read: it .*; save it as UTF-8$") as failure:
        list(read_tape(written(tmp_path, pack(content))))
    assert name in failure.value.message


def test_a_column_with_an_invisible_character_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StreamError, match="in line 1 are not those of a tape"):
        list(read_tape(written(tmp_path, "\u200b" + HEADER + LINE)))
