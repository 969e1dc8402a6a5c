"""The log lines about shared keys, and their rate."""

from __future__ import annotations

import pytest

from sluice_operator.shared_key_log import EVERY_SECONDS, SharedKeyLog

ACME, RIVAL, THIRD = ("acme", "feed"), ("rival", "feed"), ("third", "feed")


class Clock:
    """A clock that the test advances."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_line_names_the_namespaces_and_their_jobs(caplog: pytest.LogCaptureFixture) -> None:
    SharedKeyLog(Clock()).log_unless_recent((RIVAL, ACME))
    [record] = caplog.records
    assert record.getMessage().startswith("the namespaces acme, rival use one key of their provider")
    assert vars(record)["jobs"] == ["acme/feed", "rival/feed"]


def test_a_namespace_causes_one_line_a_minute_unless_a_further_one_is_concerned(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    log = SharedKeyLog(clock)
    for _ in range(100):
        log.log_unless_recent((ACME, RIVAL))
    assert len(caplog.records) == 1
    log.log_unless_recent((ACME, THIRD))
    assert len(caplog.records) == 2
    clock.seconds = EVERY_SECONDS
    log.log_unless_recent((ACME, RIVAL))
    assert len(caplog.records) == 3
