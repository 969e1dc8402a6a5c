"""The header Retry-After: seconds or a date, from 0 to 60 s."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sluice_operator.adapters.retry_after import retry_after_seconds

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        (" 1.5 ", 1.5),
        ("0", 0.0),
        ("-5", 0.0),
        ("3600", 60.0),
        ("Mon, 30 Nov 2026 12:00:20 GMT", 20.0),
        ("Monday, 30-Nov-26 12:00:20 GMT", 20.0),
        ("Mon Nov 30 12:00:20 2026", 20.0),
        ("Mon, 30 Nov 2026 13:00:30 +0100", 30.0),
        ("Mon, 30 Nov 2026 11:59:00 GMT", 0.0),
        ("Mon, 30 Nov 2099 12:00:00 GMT", 60.0),
        ("", None),
        ("soon", None),
        ("inf", None),
        ("nan", None),
        ("1e999", None),
        ("Mon, 99 Nov 2026 12:00:20 GMT", None),
    ],
)
def test_seconds_and_dates_are_understood_and_bounded(text: str, seconds: float | None) -> None:
    assert retry_after_seconds({"Retry-After": text}, NOW) == seconds


def test_a_date_is_compared_with_the_clock_of_the_server() -> None:
    headers = {"Retry-After": "Mon, 30 Nov 2026 09:00:20 GMT", "Date": "Mon, 30 Nov 2026 09:00:00 GMT"}
    assert retry_after_seconds(headers, NOW) == 20.0
    assert retry_after_seconds(headers | {"Date": "today"}, NOW) == 0.0


def test_a_response_without_the_header_names_no_time() -> None:
    assert retry_after_seconds({}, NOW) is None
