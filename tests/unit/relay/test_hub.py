import asyncio

from sluice_relay.events import EncodedEvent
from sluice_relay.hub import Hub
from sluice_relay.protocol.subscription import Subscription
from support.relay_source import quote, trade


class Listed:
    """A subscriber that lists the channel and symbol of each event."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []

    def add_event(self, event: EncodedEvent) -> None:
        self.events.append((event.channel, event.symbol))


def subscribed(hub: Hub, *quotes: str, feeds: tuple[str, ...] = ("a",), pairs: bool = False) -> Listed:
    subscriber = Listed()
    hub.set_subscription(subscriber, feeds, Subscription({"quotes": frozenset(quotes)}), pairs=pairs)
    return subscriber


async def test_a_client_gets_the_symbols_and_channels_of_its_feeds() -> None:
    hub = Hub()
    client = subscribed(hub, "SPY", "BRK.B")
    hub.publish("a", [quote("SPY"), quote("AAPL"), trade(symbol="SPY"), quote("BRK.B")])
    hub.publish("b", [quote("SPY")])

    assert client.events == [("quotes", "SPY"), ("quotes", "BRK.B")]
    assert hub.published_counts == {"quotes": 4, "trades": 1}


async def test_a_wildcard_means_the_stocks_or_the_pairs_once() -> None:
    hub = Hub()
    stocks, pairs = subscribed(hub, "*", "SPY"), subscribed(hub, "*", pairs=True)
    hub.publish("a", [quote("SPY"), quote("BTC/USD")])

    assert stocks.events == [("quotes", "SPY")]
    assert pairs.events == [("quotes", "BTC/USD")]


async def test_a_client_that_has_gone_gets_nothing() -> None:
    hub = Hub()
    client = subscribed(hub, "SPY")
    hub.set_subscription(client, ("a",), Subscription({"quotes": frozenset({"AAPL"})}), pairs=False)
    hub.publish("a", [quote("SPY")])
    hub.remove(client)
    hub.publish("a", [quote("AAPL")])

    assert client.events == []


async def test_a_source_can_wait_for_the_first_subscription() -> None:
    hub = Hub()
    waiting = asyncio.create_task(hub.wait_for_subscription())
    subscribed(hub)
    await asyncio.sleep(0)
    assert not waiting.done()

    subscribed(hub, "SPY")
    await waiting
