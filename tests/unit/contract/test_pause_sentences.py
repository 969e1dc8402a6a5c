from datetime import UTC, datetime, timedelta

import pytest

from sluice_contract.pause_sentences import pause_clause, sources_of_pause
from sluice_contract.pause_status import PauseSource, StreamPause

NOW = datetime(2026, 11, 28, 13, 0, tzinfo=UTC)
END = NOW + timedelta(hours=1)
VENDOR = PauseSource(source="pause:us-equities-x7k2p", reason="vendor incident", by="alice", until=END)
ENABLED = PauseSource(source="spec.enabled")


def test_the_first_switch_is_described_in_full_and_the_others_with_their_ends() -> None:
    assert pause_clause([VENDOR, ENABLED], NOW) == (
        'pause:us-equities-x7k2p (alice: "vendor incident") until 14:00:00Z; also by spec.enabled, without an end'
    )


@pytest.mark.parametrize(
    ("source", "clause"),
    [
        (ENABLED, "spec.enabled, without an end"),
        (PauseSource(source="api", reason="bad prints"), 'api ("bad prints"), without an end'),
        (PauseSource(source="api", by="bob"), "api (bob), without an end"),
        (PauseSource(source="spec.pause", until=END + timedelta(days=1)), "spec.pause until 2026-11-29T14:00:00Z"),
        (PauseSource(source="cr:acme/us", reason="vendor"), 'cr:acme/us ("vendor"), without an end'),
    ],
)
def test_what_a_switch_does_not_say_is_left_out(source: PauseSource, clause: str) -> None:
    assert pause_clause([source], NOW) == clause


def test_every_end_has_its_date_where_the_time_of_reading_is_unknown() -> None:
    assert pause_clause([PauseSource(source="quota", until=END)]) == "quota until 2026-11-28T14:00:00Z"


def test_at_most_three_other_switches_are_named() -> None:
    clause = pause_clause([ENABLED] * 6, NOW)
    assert clause.count("also by spec.enabled, without an end") == 3
    assert clause.endswith("; and by 2 more")


def test_a_pod_of_an_earlier_version_reports_only_the_first_switch() -> None:
    old = StreamPause(source="cr:acme/us", reason="vendor", until=END)
    assert sources_of_pause(old) == [PauseSource(source="cr:acme/us", reason="vendor", until=END)]
    assert sources_of_pause(StreamPause(source="api", sources=[VENDOR, ENABLED])) == [VENDOR, ENABLED]
