from datetime import timedelta
from pathlib import Path

import pytest

from sluice_runtime.adapters.recording import QuoteRecordingSource, TapeFile
from sluice_runtime.adapters.user_text import open_user_text
from sluice_runtime.domain.market import Bar, Quote, Trade
from sluice_runtime.providers.replay import read_tape
from support.fake_listener import FakeListener
from support.runtime_fakes import FakeSource
from support.virtual_time import START

QUOTES = [
    Quote(symbol="AAPL", ts=START, bid=100.25, ask=100.5, bid_size=200.0, ask_size=0.0),
    Quote(symbol="BTC/USD", ts=START + timedelta(milliseconds=1), bid=0.1, ask=None, bid_size=0.05, ask_size=None),
]


@pytest.mark.parametrize("name", ["tape.csv", "tape.csv.gz"])
async def test_what_was_recorded_can_be_replayed_and_everything_was_passed_on(tmp_path: Path, name: str) -> None:
    tape, inner, listener = TapeFile(tmp_path / name), FakeSource(), FakeListener()
    source = QuoteRecordingSource(inner, tape)
    for quote in QUOTES:  # two connections, one tape
        async with source.connect(listener) as connection:
            await connection.set_subscriptions(frozenset({quote.symbol}))
            inner.connection.say(quote)
    tape.close()
    assert list(read_tape(tmp_path / name)) == listener.ticks == QUOTES
    assert source.name == inner.name
    assert listener.history.count("closed") == 2


async def test_rows_are_in_the_file_when_a_connection_has_ended(tmp_path: Path) -> None:
    inner, tape = FakeSource(), TapeFile(tmp_path / "tape.csv")
    source = QuoteRecordingSource(inner, tape)
    async with source.connect(FakeListener()):
        inner.connection.say(*QUOTES)
    assert list(read_tape(tmp_path / "tape.csv")) == QUOTES
    tape.close()


@pytest.mark.parametrize("name", ["full.csv", "full.csv.gz"])
async def test_a_full_disk_ends_the_tape_and_not_the_stream(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / name).symlink_to("/dev/full")
    tape, inner, listener = TapeFile(tmp_path / name), FakeSource(), FakeListener()
    source = QuoteRecordingSource(inner, tape)
    for _ in range(2):
        async with source.connect(listener):
            for n in range(2000):
                inner.connection.say(Quote(symbol=f"S{n}", ts=START, bid=1.0, ask=2.0, bid_size=n, ask_size=n))
    tape.close()
    assert len(listener.ticks) == 4000
    assert caplog.text.count("No space left on device") == 1


def test_an_existing_tape_is_never_changed(tmp_path: Path) -> None:
    file = tmp_path / "tape.csv"
    file.write_text("what somebody kept")
    with pytest.raises(FileExistsError, match="name another file, or move it away"):
        TapeFile(file)
    assert file.read_text() == "what somebody kept"
    file.write_text("")
    TapeFile(file).close()


def test_an_absent_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        TapeFile(tmp_path / "nowhere" / "tape.csv")


@pytest.mark.parametrize("name", ["tape.csv", "tape.csv.gz"])
def test_trades_and_bars_of_gaps_are_rows_that_a_replay_passes_over(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    tape = TapeFile(tmp_path / name)
    tape.add_ticks(QUOTES[:1])
    tape.add_trades([Trade(symbol="AAPL", ts=START, price=100.5, size=10.0)])
    tape.add_bars([Bar(symbol="AAPL", ts=START, open=1.0, high=2.0, low=0.5, close=1.5, volume=300.0)])
    tape.add_ticks(QUOTES[1:])
    tape.close()
    assert list(read_tape(tmp_path / name)) == QUOTES
    assert f"the tape {name} also has 2 trades and bars of gaps; a replay streams only quotes" in caplog.text
    with open_user_text(tmp_path / name) as text:
        rows = text.read().splitlines()
    assert rows[2:4] == ["1772463600000,AAPL,trade,100.5,10.0,,", "1772463600000,AAPL,bar:300.0,1.0,2.0,0.5,1.5"]
    assert {row.count(",") for row in rows} == {6}
