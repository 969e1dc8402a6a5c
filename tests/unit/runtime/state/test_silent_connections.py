import asyncio

from sluice_runtime.state.silent_connections import SilentConnections


async def test_a_silent_connection_is_replaced_at_growing_intervals() -> None:
    found = SilentConnections()
    before = found.count.version
    assert not found.try_request_replacement("quotes", 0.0, is_silent=False, has_ticked=False)
    assert found.try_request_replacement("quotes", 5.0, is_silent=True, has_ticked=False)
    assert not found.try_request_replacement("quotes", 10.0, is_silent=True, has_ticked=False)
    assert found.count.value == 1
    await asyncio.wait_for(found.count.wait_for_change(before), 1)


async def test_quotes_that_arrive_do_not_make_trades_reconnect_more_often() -> None:
    found = SilentConnections()
    moments = []
    for at in range(0, 4000, 5):
        found.try_request_replacement("quotes", float(at), is_silent=False, has_ticked=True)
        if found.try_request_replacement("trades", float(at), is_silent=True, has_ticked=False):
            moments.append(at)
    assert moments == [0, 300, 900, 2100]
