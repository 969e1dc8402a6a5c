from sluice_runtime.state.open_connection import OpenConnection
from support.runtime_fakes import FakeConnection, FakeSource, quote, runtime_state


async def test_data_of_the_open_connection_is_delivered_and_without_one_nothing_happens() -> None:
    runtime = runtime_state()
    connection, found = FakeConnection(FakeSource(), runtime.stream), OpenConnection()
    connection.arrived = [quote("AAPL")]
    await found.deliver_arrived_data()
    found.set(connection)
    assert found.current is connection
    assert len(runtime.market.coalescer) == 0
    await found.deliver_arrived_data()
    assert len(runtime.market.coalescer) == 1
    found.set(None)
    await found.deliver_arrived_data()
    assert found.current is None
