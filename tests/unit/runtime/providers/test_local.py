from sluice_runtime.providers.local import LocalConnection
from support.fake_listener import FakeListener


async def test_all_requested_symbols_are_confirmed_at_once() -> None:
    listener = FakeListener()
    connection = LocalConnection(listener)
    await connection.set_subscriptions(frozenset({"A", "B"}))
    await connection.set_subscriptions(frozenset({"B"}))
    assert connection.symbols == listener.confirmed == {"B"}
    assert listener.rejected == ()
