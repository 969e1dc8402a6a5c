from datetime import timedelta

from support.virtual_time import START
from week.reports import ExpectedReport, Report, ReportLog, missing_and_unexpected

STALE = Report("stale", "SPY")
EXPECTED = ExpectedReport(
    STALE, START, START + timedelta(seconds=60), appears_within=timedelta(seconds=30), ends_within=timedelta(seconds=10)
)


def periods_of(*seconds: int) -> ReportLog:
    """Return a log that shows the report at these seconds, and nothing in the other ones up to second 100."""
    log = ReportLog()
    for second in range(100):
        log.record([STALE] if second in seconds else [], START + timedelta(seconds=second))
    log.close()
    return log


def test_an_expected_report_explains_its_period() -> None:
    assert missing_and_unexpected([EXPECTED], periods_of(*range(20, 65)).periods) == ([], [])


def test_a_report_that_never_appears_is_missing() -> None:
    assert missing_and_unexpected([EXPECTED], []) == ([EXPECTED], [])


def test_a_report_that_is_late_or_stays_too_long_is_unexpected_and_missing() -> None:
    for seconds in (range(40, 50), range(20, 80)):
        missing, [unexpected] = missing_and_unexpected([EXPECTED], periods_of(*seconds).periods)
        assert (missing, unexpected.begins) == ([EXPECTED], START + timedelta(seconds=seconds[0]))


def test_two_interrupted_periods_are_two() -> None:
    assert len(periods_of(1, 2, 5).periods) == 2
