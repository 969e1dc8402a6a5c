"""Feeds on a real kubelet: a trading halt, and a provider that falls silent."""

from __future__ import annotations

import pytest

from sluice_devcluster.kubectl import Kubectl
from support.exchange import MUTE_AFTER, MUTED, QUOTES_PER_SECOND, AlpacaInCluster, streaming
from support.site import Tenant, eventually


def test_a_halt_and_its_end_are_in_the_document_of_its_symbol(tenant: Tenant, upstream: AlpacaInCluster) -> None:
    streaming(tenant, upstream)
    eventually(lambda: upstream.connections()[0]["subscription"]["statuses"] == ["*"])
    upstream.send_status("SPY", "H")
    eventually(lambda: tenant.quotes()["SPY"]["status"] == "halted")
    assert tenant.quotes()["AAPL"]["status"] == "live"
    upstream.send_status("SPY", "T")
    eventually(lambda: tenant.quotes()["SPY"]["status"] == "live")
    assert len(upstream.connections()) == 1


@pytest.mark.takes_minutes
def test_a_provider_that_falls_silent_is_reconnected_once(
    muted: AlpacaInCluster, kubectl: Kubectl, firestore: str
) -> None:
    tenant = Tenant(kubectl, firestore, MUTED)
    # The allowed silence depends on the pace before it: after minutes of quotes, it is minutes.
    eventually(lambda: len(muted.connections()) == 2, seconds=420)
    status = tenant.settled("Streaming")
    assert [gap["cause"] for gap in status["stream"]["gaps"]] == ["stall"]
    written = tenant.writes()
    eventually(lambda: all(tenant.writes()[symbol] > written[symbol] for symbol in written))
    first, second = muted.connections()
    assert (first["side"], second["side"]) == ("client", "open")
    assert first["pings"] > 0
    assert first["closed"] - first["opened"] > MUTE_AFTER / QUOTES_PER_SECOND + 45
