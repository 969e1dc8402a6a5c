from datetime import UTC, datetime, timedelta

import pytest

from sluice_cli.text.instants import (
    age_text,
    duration_text,
    instant_text,
    parse_duration,
    parse_end,
    parse_instant,
    short_instant,
)

NOW = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-27T14:00:00Z", NOW),
        ("2026-11-27T14:00:00.5Z", NOW + timedelta(seconds=0.5)),
        ("2026-11-27T14:00:00.123456789Z", NOW + timedelta(microseconds=123456)),
        ("2026-11-27T09:00:00-05:00", NOW),
        ("2026-11-27T14:00:00", None),
        ("2026-13-27T14:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        (5, None),
        (None, None),
    ],
)
def test_an_instant_has_a_zone(text: object, expected: datetime | None) -> None:
    assert parse_instant(text) == expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30m", 1800),
        ("1h30m", 5400),
        ("2d", 172800),
        ("45s", 45),
        ("0s", None),
        ("", None),
        ("30", None),
        ("1m1h", None),
    ],
)
def test_a_duration_has_units(text: str, seconds: int | None) -> None:
    found = parse_duration(text)
    assert found == (None if seconds is None else timedelta(seconds=seconds))


def test_a_duration_beyond_all_bounds_is_none() -> None:
    assert parse_duration("99999999999999d") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15:30Z", NOW.replace(hour=15, minute=30)),
        ("13:00Z", NOW.replace(hour=13) + timedelta(days=1)),
        ("25:00Z", None),
        ("15:30", None),
        ("2026-11-27T15:00:00Z", NOW.replace(hour=15)),
    ],
)
def test_a_time_of_day_is_the_next_one_in_utc(text: str, expected: datetime | None) -> None:
    assert parse_end(text, NOW) == expected


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0s"), (0.9, "0s"), (119, "119s"), (120, "2m"), (8040, "2h14m"), (7200, "2h"), (172800, "2d")],
)
def test_a_duration_is_written_in_at_most_two_units(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_an_unknown_age_is_empty() -> None:
    assert age_text(None, NOW) == ""
    assert age_text(NOW - timedelta(seconds=4), NOW) == "4s"


def test_an_instant_of_another_day_has_its_date() -> None:
    assert short_instant(NOW, NOW) == "14:00:00Z"
    assert (
        short_instant(NOW + timedelta(days=1), NOW) == instant_text(NOW + timedelta(days=1)) == "2026-11-28T14:00:00Z"
    )
