from typing import Any

import pytest

from sluice_cli.model.plan.merged_document import with_defaults
from sluice_cli.model.plan.write_costs import Caps, Prices, Traffic, traffic_of_job

NO_CAPS, NO_PRICES = Caps(), Prices()


def traffic(symbols: int, caps: Caps = NO_CAPS, viewers: int = 1, prices: Prices = NO_PRICES, **spec: Any) -> Traffic:
    filled = with_defaults({"symbols": [f"S{number}" for number in range(symbols)], **spec})
    return traffic_of_job(filled, caps, viewers, prices)


def test_many_symbols_share_the_cap() -> None:
    found = traffic(32)
    assert (found.cap_per_second, found.symbol_interval_seconds, found.heartbeats_per_day) == (20, 1.6, 5760)
    # 20 quotes a second and a heartbeat every 15 s, in 6.5 h and in 24 h.
    assert (found.writes.per_session, found.writes.per_day) == (469_560, 1_733_760)
    assert found.writes.free_seconds == int(20_000 / (20 + 1 / 15))


def test_few_symbols_are_bounded_by_their_interval() -> None:
    found = traffic(3, limits={"minIntervalMilliseconds": 2000})
    assert (found.symbol_interval_seconds, round(found.writes.per_second, 3)) == (2.0, 1.567)


def test_a_policy_and_a_budget_lower_the_writes() -> None:
    found = traffic(100, Caps(10, 50_000, source="tenants"), limits={"writesPerDay": 60_000})
    assert (found.cap_per_second, found.cap_source, found.budget_per_day) == (10, "tenants", 50_000)
    assert (found.writes.per_session, found.writes.per_day) == (50_000, 50_000)
    assert traffic(1, Caps(10, source="tenants"), limits={"writesPerSecond": 5}).cap_source == ""


@pytest.mark.parametrize("found", [traffic(9, dryRun=True), traffic(9, Caps(dry_run=True))])
def test_a_dry_run_writes_only_heartbeats(found: Traffic) -> None:
    assert (found.is_dry_run, found.writes.per_day, found.writes.free_seconds) == (True, 5760, None)


def test_bars_are_one_a_minute_and_symbol_and_share_the_cap() -> None:
    per_second = traffic(60, limits={"minIntervalMilliseconds": 60_000}, channels=["quotes", "bars"]).writes.per_second
    assert round(per_second, 3) == round(1 + 1 + 1 / 15, 3)
    assert traffic(2000, channels=["quotes", "bars"]).writes.per_second == pytest.approx(20 + 1 / 15)


def test_prices_count_beyond_the_free_quota_of_a_day() -> None:
    found = traffic(32, viewers=2, prices=Prices(0.09, 0.03))
    assert found.reads.per_day == 2 * found.writes.per_day
    assert found.writes.day_cost == pytest.approx((1_733_760 - 20_000) / 100_000 * 0.09)
    assert found.reads.session_cost == pytest.approx((2 * 469_560 - 50_000) / 100_000 * 0.03)
    assert traffic(1, viewers=0, prices=Prices(1.0, 1.0)).reads.day_cost == 0.0


def test_a_refused_document_has_no_symbols_and_does_not_divide_by_zero() -> None:
    assert traffic(0, limits={"minIntervalMilliseconds": 0, "writesPerSecond": 0}).writes.per_second < 1
