from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from sluice_cli.model.job import Market
from sluice_cli.text.instants import UTC
from sluice_cli.views import market_text as module
from sluice_cli.views.market_text import market_text
from support.fake_kubectl import NOW  # Friday, 09:00 in New York


@pytest.mark.parametrize(
    ("market", "expected"),
    [
        (None, ""),
        (Market("open", None), "market open"),
        (Market("open", NOW + timedelta(hours=7)), "market open, closes 16:00 New York"),
        (Market("open", NOW - timedelta(seconds=1)), "market open"),
        (Market("closed", NOW + timedelta(minutes=30)), "market closed, opens 09:30 New York"),
        (Market("closed", datetime(2026, 11, 30, 14, 30, tzinfo=UTC)), "market closed, opens Mon 09:30 New York"),
        (
            Market("closed", NOW + timedelta(days=27)),
            "market closed, opens 2026-12-24 09:00 New York",
        ),
    ],
)
def test_the_market_has_its_next_change(market: Market | None, expected: str) -> None:
    assert market_text(market, NOW) == expected


def test_a_machine_without_time_zones_shows_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_new_york", lambda: (UTC, "UTC"))
    assert market_text(Market("open", NOW + timedelta(hours=7)), NOW) == "market open, closes 21:00 UTC"
