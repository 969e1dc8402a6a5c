"""The metrics of the relay, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from .connection import ClientConnection
from .hub import Hub


class RelayTotals:
    """The counts of the connections that have ended."""

    def __init__(self) -> None:
        self.connections = 0
        self.conflated_quotes = 0
        self.refusals: dict[int, int] = {}

    def add_ended_connection(self, connection: ClientConnection) -> None:
        """Add the counts of a connection that has ended."""
        self.connections += 1
        self.conflated_quotes += connection.outbox.conflated_quotes
        for code, count in connection.refusals.items():
            self.refusals[code] = self.refusals.get(code, 0) + count


def prometheus_text(totals: RelayTotals, connections: Sequence[ClientConnection], hub: Hub) -> bytes:
    """Return all metrics in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_RelayCollector(totals, connections, hub))
    return generate_latest(registry)


class _RelayCollector(Collector):
    def __init__(self, totals: RelayTotals, connections: Sequence[ClientConnection], hub: Hub) -> None:
        self._totals = totals
        self._connections = connections
        self._hub = hub

    def collect(self) -> Iterable[Metric]:
        connections, totals = self._connections, self._totals
        clients = GaugeMetricFamily("sluice_relay_clients", "Authenticated clients, by tenant.", labels=["tenant"])
        tenants = [each.session.client.tenant for each in connections if each.session.client is not None]
        for tenant in sorted(set(tenants)):
            clients.add_metric([tenant], tenants.count(tenant))
        yield clients
        yield CounterMetricFamily(
            "sluice_relay_connections", "Connections of clients.", value=totals.connections + len(connections)
        )
        yield CounterMetricFamily(
            "sluice_relay_conflated_quotes",
            "Quotes that a newer quote replaced before a client had read what was sent.",
            value=totals.conflated_quotes + sum(each.outbox.conflated_quotes for each in connections),
        )
        refusals = CounterMetricFamily(
            "sluice_relay_errors", "Errors of the protocol that clients got, by code.", labels=["code"]
        )
        for code in sorted({*totals.refusals, *(code for each in connections for code in each.refusals)}):
            count = totals.refusals.get(code, 0) + sum(each.refusals.get(code, 0) for each in connections)
            refusals.add_metric([str(code)], count)
        yield refusals
        published = CounterMetricFamily(
            "sluice_relay_published_events", "Events that the source published, by channel.", labels=["channel"]
        )
        for channel, count in self._hub.published_counts.items():
            published.add_metric([channel], count)
        yield published
