from sluice_runtime.adapters.forwarding_listener import ForwardingListener
from sluice_runtime.adapters.forwarding_source import ForwardingSource
from support.fake_listener import FakeListener
from support.runtime_fakes import FakeSource, quote


async def test_a_connection_reports_to_the_wrapped_listener() -> None:
    inner, listener = FakeSource(), FakeListener()
    source = ForwardingSource(inner, ForwardingListener)
    tick = quote("AAPL")
    async with source.connect(listener) as connection:
        await connection.set_subscriptions(frozenset({"AAPL"}))
        assert isinstance(inner.connection._listener, ForwardingListener)
        inner.connection.say(tick)
    assert listener.ticks == [tick]
    assert listener.history[-1] == "closed"
    assert source.name == inner.name


async def test_waits_are_those_of_the_source() -> None:
    inner = FakeSource()
    source = ForwardingSource(inner, ForwardingListener)
    inner.remedy.set()
    inner.renewal.set()
    await source.wait_for_fix()
    await source.wait_for_rotation()
    assert not inner.remedy.is_set()
    assert not inner.renewal.is_set()
