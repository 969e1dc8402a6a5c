from sluice_simulators.alpaca.client import connect, connect_and_subscribe
from support.relay_source import metrics, quote, served, trade


async def test_the_metrics_count_clients_events_and_errors() -> None:
    async with served() as relay:
        async with connect_and_subscribe(relay.url(), "SPY") as client:
            relay.source.send(quote("SPY"), trade(1))
            await client.receive_messages()
            found = await metrics(relay)
            assert found['sluice_relay_clients{tenant="acme"}'] == 1
            assert found['sluice_relay_published_events_total{channel="quotes"}'] == 1
            assert found['sluice_relay_published_events_total{channel="trades"}'] == 1
        async with connect(relay.url()) as client:
            assert (await client.authenticate("key", "wrong"))["code"] == 402
        found = await metrics(relay)
        assert found["sluice_relay_connections_total"] == 2
        assert found['sluice_relay_errors_total{code="402"}'] == 1
        assert found["sluice_relay_conflated_quotes_total"] == 0
