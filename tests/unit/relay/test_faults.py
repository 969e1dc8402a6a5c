import asyncio
import time

import pytest

from sluice_relay.events import TradingStatus
from sluice_relay.faults import FaultClock, FaultsError, FaultySource, ScriptedFault, parse_faults
from support.deadlines import within
from support.relay_source import FEED, ListSource, quote, trade


class Recorded:
    """An audience that records the events and the time of each."""

    def __init__(self) -> None:
        self.events: list[tuple[float, object]] = []

    def publish(self, feed: str, events: object) -> None:
        assert feed == FEED
        assert isinstance(events, list | tuple)
        self.events += [(time.monotonic(), event) for event in events]

    async def wait_for_subscription(self) -> None:
        return


def test_faults_have_the_form_of_those_of_the_synthetic_provider() -> None:
    text = "[{kind: 405, afterSeconds: 60, forSeconds: 30}, {kind: late, afterSeconds: 0, forSeconds: 9, bySeconds: 2}]"

    assert parse_faults(text) == (ScriptedFault("405", 60, 30), ScriptedFault("late", 0, 9, 2))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[{kind: 499, afterSeconds: 0, forSeconds: 1}]", "Invalid enum value '499'"),
        ("[{kind: halt, afterSeconds: 0}]", "missing required field `forSeconds`"),
        ("kind: halt", "write a list of faults"),
        ("[", "it is not YAML"),
    ],
)
def test_wrong_faults_are_explained(text: str, words: str) -> None:
    with pytest.raises(FaultsError, match=words):
        parse_faults(text)


def test_a_fault_is_active_from_its_start_to_its_end() -> None:
    now = [100.0]
    clock = FaultClock([ScriptedFault("halt", 10, 5)], clock=lambda: now[0])
    assert clock.active_kinds() == frozenset()

    clock.start()
    found = []
    for now[0] in (105.0, 110.0, 114.0, 115.0):
        clock.start()
        found.append(clock.active_kinds())
    assert found == [frozenset(), {"halt"}, {"halt"}, frozenset()]


async def published_under(fault: ScriptedFault, *, until: int) -> list[tuple[float, object]]:
    """Return what an audience gets from a quote and a trade that are published under a fault."""
    source, audience = ListSource(), Recorded()
    clock = FaultClock([fault])
    faulty = FaultySource(source, clock)
    clock.start()
    running = asyncio.create_task(faulty.run(audience))
    source.send(quote("SPY"), trade(1))
    async with within(10):
        while len(audience.events) < until:  # noqa: ASYNC110  the audience has no event
            await asyncio.sleep(0.01)
        source.end()
        await running
    return audience.events


async def test_late_events_keep_their_times_and_their_order() -> None:
    began = time.monotonic()
    events = await published_under(ScriptedFault("late", 0, 60, 0.3), until=2)

    assert [event for _, event in events] == [quote("SPY"), trade(1)]
    assert events[0][0] - began >= 0.3


async def test_a_halt_is_reported_at_its_begin_and_end_and_holds_quotes_back() -> None:
    events = [event for _, event in await published_under(ScriptedFault("halt", 0, 0.3), until=2)]

    assert [(type(each), each.code) for each in events if isinstance(each, TradingStatus)] == [
        (TradingStatus, "H"),
        (TradingStatus, "T"),
    ]
    assert len(events) == 2


async def test_a_mute_feed_publishes_nothing_and_has_no_newest_quote() -> None:
    assert await published_under(ScriptedFault("mute", 0, 60), until=0) == []
    source = ListSource()
    source.send(quote("SPY"))
    clock = FaultClock([ScriptedFault("mute", 0, 60)])
    faulty = FaultySource(source, clock)

    assert faulty.newest_quote(FEED, "SPY") == quote("SPY")
    clock.start()
    assert faulty.newest_quote(FEED, "SPY") is None
    assert faulty.state() == {"source": "list", "faults": ["mute"]}
    assert faulty.carried_channels([FEED]) == {"quotes", "trades", "statuses"}
