import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sluice_relay.clients import Client
from sluice_relay.events import Bar, Event, Quote, Trade
from sluice_runtime.domain.failure import StreamError
from sluice_runtime.serve.tape_source import Playback, TapeContents, TapeSource, read_tape_contents
from support.deadlines import wait_for, within

REAL_TIME = True

HEADER = "time_ms,symbol,bid,bid_size,ask,ask_size,exchange\n"
START = 1_795_860_000_000
ROWS = (
    f"{START},SPY,600.01,100,600.03,200,V\n"
    f"{START + 400},BTC/USD,64000.5,0.5,,,V\n"
    f"{START + 200},SPY,trade,600.02,10,,\n"
    f"{START},SPY,bar:1000,600,601,599,600.5\n"
)


class Recorded:
    """An audience that is subscribed from the start."""

    def __init__(self) -> None:
        self.events: list[tuple[float, Event]] = []

    def publish(self, feed: str, events: Sequence[Event]) -> None:
        assert feed == "tape"
        self.events += [(time.monotonic(), event) for event in events]

    async def wait_for_subscription(self) -> None:
        return


def written(folder: Path, rows: str = ROWS) -> Path:
    path = folder / "day.csv"
    path.write_text(HEADER + rows)
    return path


async def played(path: Path, playback: Playback) -> tuple[TapeSource, list[tuple[float, Event]]]:
    source, audience = TapeSource(path, read_tape_contents(path), playback), Recorded()
    await wait_for(source.run(audience), 10)
    return source, audience.events


def test_the_contents_of_a_tape(tmp_path: Path) -> None:
    contents = read_tape_contents(written(tmp_path))

    assert contents == TapeContents(frozenset({"quotes", "trades", "bars"}), ("SPY", "BTC/USD"))
    assert read_tape_contents(written(tmp_path, ROWS.split("\n", maxsplit=1)[0])).channels == {"quotes"}


@pytest.mark.parametrize(
    ("rows", "words"),
    [("", "has no quotes"), (f"{START},SPY,trade,many,1,,\n", "line 2 .* price is not a number")],
)
def test_a_tape_that_cannot_be_served_is_explained(tmp_path: Path, rows: str, words: str) -> None:
    with pytest.raises(StreamError, match=words):
        read_tape_contents(written(tmp_path, rows))
    with pytest.raises(StreamError, match=r"sluice-runtime sample-tape none\.csv"):
        read_tape_contents(tmp_path / "none.csv")


async def test_events_are_played_as_recorded(tmp_path: Path) -> None:
    source, events = await played(written(tmp_path), Playback(speed=0))
    start = START * 1_000_000

    assert [event for _, event in events] == [
        Quote(symbol="SPY", ts=start, bid=600.01, ask=600.03, bid_size=100, ask_size=200),
        Quote(symbol="BTC/USD", ts=start + 400_000_000, bid=64000.5, ask=None, bid_size=0.5, ask_size=None),
        Trade(symbol="SPY", ts=start + 200_000_000, price=600.02, size=10),
        Bar(symbol="SPY", ts=start, open=600, high=601, low=599, close=600.5, volume=1000),
    ]
    assert source.newest_quote("tape", "SPY") == events[0][1]
    assert source.state() == {
        "tape": "day.csv",
        "phase": "ended",
        "position": datetime.fromtimestamp(START / 1000 + 0.4, UTC).isoformat(),
        "speed": 0.0,
    }
    assert source.feeds_of_client(Client(key="k", secret="s")) == ("tape",)


async def test_restamped_events_keep_their_age(tmp_path: Path) -> None:
    _, events = await played(written(tmp_path), Playback(speed=0, restamp=True))

    now = time.time_ns()
    assert all(
        0 <= now - event.ts - age < 10**9 for age, (_, event) in zip((0, 0, 2 * 10**8, 4 * 10**8), events, strict=True)
    )


async def test_the_speed_divides_the_waits(tmp_path: Path) -> None:
    _, events = await played(written(tmp_path), Playback(speed=2))

    waits = [at - events[0][0] for at, _ in events]
    assert waits[1] >= 0.19
    assert waits[3] - waits[1] < 0.1  # rows with earlier times follow at once


async def test_a_repeated_tape_starts_again(tmp_path: Path) -> None:
    path = written(tmp_path)
    source, audience = TapeSource(path, read_tape_contents(path), Playback(speed=0, repeat=True)), Recorded()
    running = asyncio.create_task(source.run(audience))
    async with within(10):
        while len(audience.events) < 9:  # noqa: ASYNC110  the audience has no event
            await asyncio.sleep(0.01)
    running.cancel()

    assert audience.events[4][1] == audience.events[0][1]


async def test_a_bad_row_far_into_the_tape_ends_it(tmp_path: Path) -> None:
    contents = TapeContents(frozenset({"quotes"}), ("SPY",))
    source = TapeSource(written(tmp_path, ROWS + "bad\n"), contents, Playback(speed=0))

    with pytest.raises(StreamError, match="line 6"):
        await wait_for(source.run(Recorded()), 10)
