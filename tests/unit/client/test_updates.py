"""What a strategy is given, in virtual time, from documents in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

import pytest

from sluice_client import MemorySource, Unusable, Update, Usable, usable_quotes
from support.deadlines import assert_takes_at_most
from support.feed_documents import heartbeat_fields, quote_fields
from support.virtual_time import at, now, seconds, settle


class FakeFeed:
    """A job that writes its documents into a source in memory."""

    def __init__(self) -> None:
        self.source = MemorySource()

    def beat(self, **changes: object) -> None:
        self.source.put_heartbeat(heartbeat_fields(now(), **changes))

    def quote(self, symbol: str = "SPY", **changes: object) -> None:
        self.source.put_quote(symbol, quote_fields(symbol, now(), **changes))


@pytest.fixture
def feed() -> FakeFeed:
    return FakeFeed()


@asynccontextmanager
async def reading(feed: FakeFeed, symbols: Iterable[str] = ("SPY",), **options: Any) -> AsyncIterator[list[Update]]:
    """Collect what a reader of these symbols is given."""
    found: list[Update] = []

    async def read() -> None:
        stream = usable_quotes(feed.source, list(symbols), **{"clock": now, **options})
        async with aclosing(stream) as updates:
            async for update in updates:
                found.append(update)  # noqa: PERF401 (the test looks at it meanwhile)

    task = asyncio.create_task(read())
    await settle()
    yield found
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def texts(updates: list[Update]) -> list[str]:
    """Return the reason of each Unusable, and the price of each Usable."""
    return [str(each.quote.price) if isinstance(each, Usable) else each.verdict.reason for each in updates]


async def test_a_usable_quote_is_yielded_at_once_and_each_change_of_it(feed: FakeFeed) -> None:
    feed.beat()
    feed.quote(price=1.0)
    async with reading(feed) as updates:
        feed.quote(price=2.0)
        await settle()
    assert texts(updates) == ["1.0", "2.0"]


async def test_heartbeats_yield_nothing_while_all_is_well(feed: FakeFeed) -> None:
    feed.beat()
    feed.quote(price=1.0)
    async with reading(feed) as updates:
        for moment in range(15, 600, 15):
            await at(moment)
            feed.beat()
    assert texts(updates) == ["1.0"]


async def test_heartbeats_that_cease_are_reported_once_without_any_change_of_a_document(feed: FakeFeed) -> None:
    feed.beat()
    feed.quote(price=1.0)
    async with reading(feed) as updates:
        await at(30)
        assert texts(updates) == ["1.0"]
        await at(31.1)
        assert texts(updates) == ["1.0", "stale"]
        await at(300)
    assert texts(updates) == ["1.0", "stale"]


async def test_a_shorter_limit_is_applied(feed: FakeFeed) -> None:
    feed.beat()
    feed.quote(price=1.0)
    async with reading(feed, stale_after=10) as updates:
        await at(11.1)
    assert texts(updates) == ["1.0", "stale"]


async def test_quotes_that_keep_coming_after_the_heartbeats_ceased_are_not_yielded(feed: FakeFeed) -> None:
    feed.beat()
    async with reading(feed) as updates:
        for moment in range(60):
            await at(moment)
            feed.quote(price=100.0 + moment)
    assert texts(updates)[-1] == "stale"
    assert texts(updates)[:-1] == ["never_heard_of", *(f"{100 + moment}.0" for moment in range(31))]


async def test_a_pause_is_reported_for_each_symbol_and_its_end_yields_the_quotes_again(feed: FakeFeed) -> None:
    feed.beat()
    feed.quote("SPY", price=1.0)
    feed.quote("QQQ", price=2.0)
    async with reading(feed, ["SPY", "QQQ"]) as updates:
        feed.beat(status="paused", ingest_enabled=False)
        await settle()
        feed.beat()
        await settle()
    assert texts(updates) == ["1.0", "2.0", "paused", "paused", "1.0", "2.0"]


async def test_each_new_verdict_is_reported(feed: FakeFeed) -> None:
    feed.beat()
    async with reading(feed) as updates:
        feed.beat(status="degraded")
        await settle()
        feed.beat(status="paused", pause_reason="a")
        await settle()
        feed.beat(status="paused", pause_reason="b")
        await settle()
    assert texts(updates) == ["never_heard_of", "degraded", "paused", "paused"]


async def test_an_event_time_in_the_future_becomes_usable_by_the_passing_of_time(feed: FakeFeed) -> None:
    feed.beat()
    feed.source.put_quote("SPY", quote_fields("SPY", now() + timedelta(seconds=10), price=1.0))
    async with reading(feed) as updates:
        await at(6.1)
    assert texts(updates) == ["live", "1.0"]


async def test_a_deleted_quote_and_a_deleted_heartbeat_are_reported(feed: FakeFeed) -> None:
    feed.beat()
    feed.quote(price=1.0)
    async with reading(feed) as updates:
        feed.source.put_quote("SPY", None)
        await settle()
        feed.source.put_heartbeat(None)
        await settle()
    assert texts(updates) == ["1.0", "never_heard_of", "never_heard_of"]
    assert updates[1] != updates[2]


async def test_access_and_connection_are_reported(feed: FakeFeed) -> None:
    feed.beat()
    feed.quote(price=1.0)
    async with reading(feed) as updates:
        feed.source.set_reader(is_connected=False)
        await settle()
        feed.source.set_reader(is_signed_in=False)
        await settle()
        feed.source.set_reader()
        await settle()
    assert texts(updates) == ["1.0", "stale", "not_signed_in", "1.0"]


async def test_a_fast_clock_is_found_when_a_heartbeat_arrives_and_nothing_is_usable(feed: FakeFeed) -> None:
    feed.beat()
    feed.quote(price=1.0)
    async with reading(feed, clock=lambda: now() + timedelta(seconds=60)) as updates:
        await at(15)
        feed.beat()
        await settle()
    assert texts(updates)[0] == "stale"
    last = updates[-1]
    assert isinstance(last, Unusable)
    assert last.verdict.live
    assert "clock" in last.verdict.message


async def test_an_old_heartbeat_after_a_lost_connection_does_not_show_that_the_clock_is_fast(feed: FakeFeed) -> None:
    feed.source.put_heartbeat(heartbeat_fields(now() - timedelta(seconds=12)))
    feed.quote(price=1.0)
    async with reading(feed) as updates:
        await at(10)
        feed.source.set_reader(is_connected=False)
        feed.source.put_heartbeat(heartbeat_fields(now() - timedelta(seconds=9)))
        feed.source.set_reader()
        await at(12)
    assert texts(updates) == ["1.0"]


async def test_a_slow_clock_is_reported_at_once(feed: FakeFeed) -> None:
    feed.beat()
    feed.quote(price=1.0)
    async with reading(feed, clock=lambda: now() - timedelta(seconds=60)) as updates:
        await settle()
    assert texts(updates) == ["live"]


async def updates_of(feed: FakeFeed, symbols: list[str]) -> AsyncGenerator[Update]:
    async with aclosing(usable_quotes(feed.source, symbols, clock=now)) as updates:
        async for update in updates:
            yield update


async def test_a_slow_consumer_gets_the_newest_quote_and_none_that_is_no_longer_usable(feed: FakeFeed) -> None:
    feed.beat()
    feed.quote(price=1.0)
    feed.quote("QQQ", price=1.0)
    async with aclosing(updates_of(feed, ["SPY", "QQQ"])) as updates:
        found = [await anext(updates)]
        for price in range(100):
            feed.quote("QQQ", price=float(price))
        found.append(await anext(updates))
        feed.quote("SPY", price=5.0)
        feed.beat(status="paused")
        found.append(await anext(updates))
    assert texts(found) == ["1.0", "99.0", "paused"]


async def test_a_busy_symbol_does_not_delay_what_time_does_to_another(feed: FakeFeed) -> None:
    feed.beat()
    feed.quote("QQQ", price=1.0)
    async with aclosing(updates_of(feed, ["QQQ", "SPY"])) as updates:
        async for update in updates:
            if isinstance(update, Unusable) and update.symbol == "QQQ":
                break
            await asyncio.sleep(0.1)
            feed.quote("SPY", price=now().timestamp())
    assert texts([update]) == ["stale"]
    assert seconds() < 32


async def test_the_reader_stops_listening_when_it_is_closed(feed: FakeFeed) -> None:
    feed.beat()
    feed.quote()
    async with reading(feed):
        assert feed.source.subscriptions == 1
    assert feed.source.subscriptions == 0


async def test_the_reader_stops_listening_after_a_break(feed: FakeFeed) -> None:
    feed.beat()
    feed.quote()
    async for _ in usable_quotes(feed.source, ["SPY"], clock=now):
        break
    await settle()
    assert feed.source.subscriptions == 0


@pytest.mark.parametrize("symbols", ["SPY", [], [5], [""]])
def test_symbols_that_are_not_understood_are_refused_with_an_example(feed: FakeFeed, symbols: Any) -> None:
    with pytest.raises(ValueError, match=r'symbols must .*\["SPY"'):
        usable_quotes(feed.source, symbols)


async def test_two_thousand_symbols_are_checked_within_a_second(feed: FakeFeed) -> None:
    names = [f"S{number}" for number in range(2000)]
    feed.beat()
    for name in names:
        feed.quote(name)
    async with reading(feed, names) as updates:
        while len(updates) < 2000:
            await settle()
        with assert_takes_at_most(1.0):
            feed.beat()
            await settle()
    assert len(updates) == 2000


def test_now_is_a_time_with_a_zone() -> None:
    from sluice_client.updates import utc_now

    found: datetime = utc_now()
    assert found.utcoffset() == timedelta(0)
