"""The alerts and recording rules, with promtool: when they fire, and when they do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support import alert_series as a
from support.alert_series import LIVE, Series
from support.prometheus import alerts, check_rules, rule_groups, unit_test_failures

REASONS = "sluice_ingestjob_ready_reason"
DAY = 86400
PAUSED: Series = {
    **a.without(LIVE, REASONS),
    **a.condition("Streaming", "False"),
    **a.condition("Paused", "True"),
    **a.reason("Paused"),
    a.pod("ingest_active", 'provider="alpaca:iex"'): a.constant(0),
    a.pod("ingest_paused"): a.constant(1),
    a.job("sluice_ingestjob_paused_since_timestamp_seconds"): a.constant(-DAY),
    a.job("sluice_ingestjob_pause_until_timestamp_seconds"): a.constant(10 * 86400),
    **a.freshness(paused=30),
    **a.write_latency(in_time=0, late=0),
}
CLOSED: Series = {
    **LIVE,
    a.pod("ingest_market_open"): a.constant(0),
    # An hour after the close, the last busy symbols still count as stale until the next check.
    **a.freshness(closed=20, stale=10),
    **a.write_latency(in_time=0, late=0),
}
FINISHED: Series = {
    **a.without(LIVE, REASONS, "ingest_market_open"),
    **a.condition("Streaming", "False"),
    **a.reason("ReplayFinished"),
    a.pod("ingest_active", 'provider="alpaca:iex"'): a.constant(0),
}
DELETED_JOB: Series = a.without(LIVE, "sluice_ingestjob_", *a.POD_PREFIXES)

# Situations, with the alerts that fire after 75 minutes.
SITUATIONS: dict[str, tuple[Series, set[str]]] = {
    "live": (LIVE, set()),
    "paused until a time": (PAUSED, set()),
    "paused without an end": (a.without(PAUSED, "sluice_ingestjob_pause_until"), {"SluicePausedWithoutEnd"}),
    "paused while Firestore refuses writes": (
        {**PAUSED, a.pod("ingest_sink_healthy", 'what="quotes"'): a.constant(0)},
        set(),
    ),
    "closed": (CLOSED, set()),
    "vanished": (a.vanished(LIVE), {"SluiceFeedNotStreaming"}),
    "finished": (FINISHED, set()),
    "deleted": (DELETED_JOB, set()),
}

STALLED = {
    **a.without(LIVE, REASONS),
    **a.condition("Streaming", "False"),
    **a.condition("Stalled", "True"),
    **a.reason("Refused"),
}
# Each alert with a feed for which it fires, and with the others that fire for that feed too.
FIRING: dict[str, tuple[Series, set[str]]] = {
    "SluiceFeedNotStreaming": (
        {**a.without(LIVE, REASONS), **a.condition("Streaming", "False"), **a.reason("BackingOff")},
        set(),
    ),
    "SluiceFeedNeedsAction": (STALLED, set()),
    "SluiceHeartbeatLost": ({**LIVE, a.pod("ingest_heartbeat_timestamp_seconds"): a.constant(0)}, set()),
    "SluiceSinkFailing": ({**LIVE, a.pod("ingest_sink_healthy", 'what="quotes"'): a.constant(0)}, set()),
    "SluiceStaleSymbols": ({**LIVE, **a.freshness(live=20, quiet=8, stale=2)}, set()),
    "SluiceLatencyBudgetBurn": ({**LIVE, **a.write_latency(in_time=120, late=30)}, set()),
    "SluicePauseNotAcknowledged": ({**LIVE, **a.condition("Paused", "False")}, set()),
    "SluicePausedWithoutEnd": (a.without(PAUSED, "sluice_ingestjob_pause_until"), set()),
    "SluiceFlapping": ({**LIVE, a.pod("ingest_starts_total", 'provider="alpaca:iex"'): "0+0.2x480"}, set()),
    "SluiceSymbolsRejected": ({**LIVE, a.pod("ingest_symbols", 'state="rejected"'): a.constant(1)}, set()),
    "SluiceWriteBudgetNearCap": (
        {
            **LIVE,
            a.pod("ingest_quotes_written_total"): "0+300x480",
            a.pod("ingest_quotes_waiting"): a.constant(3),
        },
        set(),
    ),
    "SluiceSlotHeld": (
        {
            **a.without(LIVE, REASONS),
            **a.condition("Streaming", "False"),
            **a.condition("ConnectionSlotAcquired", "False"),
            **a.reason("HeldBy"),
        },
        {"SluiceFeedNotStreaming"},
    ),
    "SluicePodRestarting": (
        {
            **LIVE,
            'kube_pod_container_status_restarts_total{namespace="acme",pod="us-equities-ingest",container="ingest"}': (
                "0+0.05x480"
            ),
        },
        set(),
    ),
    "SluicePolicyDenies": (
        {**a.without(STALLED, REASONS), **a.reason("PolicyDenied")},
        {"SluiceFeedNeedsAction"},
    ),
    "SluiceCalendarEnds": (
        {**LIVE, a.pod("ingest_market_calendar_end_timestamp_seconds"): a.constant(50 * 86400)},
        set(),
    ),
    "SluiceOperatorNotLeading": (a.without(LIVE, "sluice_operator_leader"), set()),
    "SluiceOperatorBacklog": (
        {
            **LIVE,
            'sluice_operator_queue_oldest_seconds{namespace="sluice-system",pod="sluice-operator-1"}': a.NOW,
        },
        set(),
    ),
    "SluiceWatchLosesObjects": (
        {
            **LIVE,
            'sluice_operator_resync_repairs_total{namespace="sluice-system",pod="sluice-operator-1",kind="pods"}': (
                "0+0.02x480"
            ),
        },
        set(),
    ),
}


def firing(names: set[str], at: str) -> dict[str, Any]:
    """Return the expectation that exactly these alerts fire at a time."""
    expression = 'count by (alertname) (ALERTS{alertstate="firing"})'
    samples = [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(names)]
    return {"promql_expr_test": [{"expr": expression, "eval_time": at, "exp_samples": samples}]}


def value(expression: str, at: str, *values: float) -> dict[str, Any]:
    """Return the expectation that an expression without labels has these values, none or one, at a time."""
    samples = [{"labels": "{}", "value": each} for each in values]
    return {"promql_expr_test": [{"expr": expression, "eval_time": at, "exp_samples": samples}]}


def test_promtool_accepts_all_rules(tmp_path: Path) -> None:
    assert check_rules(tmp_path, rule_groups()) == ""


@pytest.mark.parametrize("situation", SITUATIONS)
def test_in_each_situation_exactly_the_right_alerts_fire(situation: str, tmp_path: Path) -> None:
    series, names = SITUATIONS[situation]
    assert unit_test_failures(tmp_path, series, firing(names, "75m")) == ""


def test_there_is_a_firing_feed_for_each_alert() -> None:
    assert FIRING.keys() == alerts().keys()


@pytest.mark.parametrize("name", FIRING)
def test_each_alert_fires(name: str, tmp_path: Path) -> None:
    series, others = FIRING[name]
    assert unit_test_failures(tmp_path, series, firing({name, *others}, "75m")) == ""


def test_an_alert_about_a_vanished_pod_names_the_reason_and_links_to_the_feed(tmp_path: Path) -> None:
    rule = alerts()["SluiceFeedNotStreaming"]
    expected = {
        "exp_labels": {"severity": "critical", "namespace": "acme", "name": "us-equities"},
        "exp_annotations": {
            "summary": "acme/us-equities does not stream.",
            "description": (
                "No quote of this feed has reached its readers for at least 2 minutes, although no switch pauses it. "
                "Reason: PodPending."
            ),
            "page_url": "https://sluice.example/?tenant=acme&feed=market_ingest",
            "runbook_url": rule["annotations"]["runbook_url"],
        },
    }
    test = {
        "alert_rule_test": [
            {"alertname": rule["alert"], "eval_time": "11m", "exp_alerts": []},
            {"alertname": rule["alert"], "eval_time": "13m", "exp_alerts": [expected]},
        ]
    }
    assert unit_test_failures(tmp_path, a.vanished(LIVE), test) == ""


@pytest.mark.parametrize(
    ("series", "minute"),
    [
        (LIVE, [1]),
        ({**LIVE, **a.freshness(live=29, stale=1)}, [0]),  # more than 1 % is stale
        ({**LIVE, a.pod("ingest_heartbeat_timestamp_seconds"): a.constant(0)}, [0]),
        (CLOSED, []),
        (PAUSED, []),
        (FINISHED, []),
    ],
    ids=["live", "stale", "no heartbeat", "closed", "paused", "finished"],
)
def test_the_objective_fresh_counts_the_minutes_of_an_open_market(
    series: Series, minute: list[float], tmp_path: Path
) -> None:
    assert unit_test_failures(tmp_path, series, value("sum(sluice:slo_fresh:minute)", "30m", *minute)) == ""


@pytest.mark.parametrize(("at", "minute"), [("9m", [1]), ("12m", [0]), ("38m", [0]), ("50m", [])])
def test_the_30_minutes_after_a_pod_vanished_are_not_fresh(at: str, minute: list[float], tmp_path: Path) -> None:
    test = value("sum(sluice:slo_fresh:minute)", at, *minute)
    assert unit_test_failures(tmp_path, a.vanished(LIVE), test) == ""


def test_the_objective_fast_is_the_share_of_quotes_in_time(tmp_path: Path) -> None:
    series = {**LIVE, **a.write_latency(in_time=90, late=10)}
    assert unit_test_failures(tmp_path, series, value("sum(sluice:slo_fast:ratio_28d)", "2h", 0.9)) == ""


def test_the_objective_stops_counts_late_pauses_and_those_that_are_not_acknowledged(tmp_path: Path) -> None:
    rounded = "round(sluice:slo_stops:ratio_28d, 0.01)"
    late = {**LIVE, **a.pauses(in_time=3, late=1)}
    assert unit_test_failures(tmp_path, late, value(rounded, "1h", 0.75)) == ""
    unconfirmed = {**LIVE, **a.condition("Paused", "False")}
    assert unit_test_failures(tmp_path, unconfirmed, value(rounded, "1h", 0)) == ""


def test_the_objective_survives_counts_epochs_that_change_with_the_operator_s_version(tmp_path: Path) -> None:
    build = 'sluice_operator_build_info{namespace="sluice-system",pod="sluice-operator-1",version="0.1.0"}'
    upgraded = {**LIVE, build: "1x40 stale", build.replace("0.1.0", "0.2.0"): "_x40 1x1000"}
    replaced = {a.job("sluice_ingestjob_epoch"): "1x41 2x1000"}
    epochs = "sum_over_time(sluice:slo_survives:epoch_changes[1h]) > bool 0"
    assert unit_test_failures(tmp_path, upgraded, value(epochs, "1h", 0)) == ""
    assert unit_test_failures(tmp_path, {**upgraded, **replaced}, value(epochs, "1h", 1)) == ""
    assert unit_test_failures(tmp_path, {**LIVE, **replaced}, value(epochs, "1h", 0)) == ""
