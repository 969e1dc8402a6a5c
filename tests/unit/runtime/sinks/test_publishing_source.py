from collections.abc import Sequence

from sluice_runtime.domain.market import Bar, Tick
from sluice_runtime.sinks.publishing_source import PublishingSource
from support.fake_listener import FakeListener
from support.runtime_fakes import FakeSource, bar, quote


class FakePublisher:
    """Keeps what is published, and how many ticks the listener had by then."""

    def __init__(self, listener: FakeListener) -> None:
        self.ticks: list[Tick] = []
        self.bars: list[Bar] = []
        self.passed_on_before: list[int] = []
        self._listener = listener

    def publish_quotes(self, ticks: Sequence[Tick]) -> None:
        self.passed_on_before.append(len(self._listener.ticks))
        self.ticks.extend(ticks)

    def publish_bars(self, bars: Sequence[Bar]) -> None:
        self.bars.extend(bars)


async def test_quotes_and_bars_are_passed_on_first_and_then_published() -> None:
    inner, listener = FakeSource(), FakeListener()
    publisher = FakePublisher(listener)
    source = PublishingSource(inner, publisher)
    ticks, minute = [quote("AAPL"), quote("MSFT")], bar()
    async with source.connect(listener) as connection:
        await connection.set_subscriptions(frozenset({"AAPL", "MSFT"}))
        inner.connection.say(*ticks)
        inner.connection._listener.on_bars([minute])
    assert listener.ticks == publisher.ticks == ticks
    assert listener.bars == publisher.bars == [minute]
    assert publisher.passed_on_before == [2]
    assert source.name == inner.name
    assert listener.history[-1] == "closed"


async def test_waits_are_those_of_the_source() -> None:
    inner = FakeSource()
    source = PublishingSource(inner, FakePublisher(FakeListener()))
    inner.remedy.set()
    inner.renewal.set()
    await source.wait_for_fix()
    await source.wait_for_rotation()
    assert not inner.remedy.is_set()
    assert not inner.renewal.is_set()
