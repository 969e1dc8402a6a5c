import re
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice_contract.instants import INSTANT_SCHEMA, PATTERN
from sluice_contract.values import Until

OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T14:00:00Z",
        "2026-11-23T14:00:00.123456789+23:59",
        "0001-01-01T00:00:00Z",
        "0002-01-01T00:00:00+23:59",
        "2000-02-29T00:00:00Z",
        "2024-02-29T00:00:00-23:59",
        "9998-12-31T23:59:59.999999999-23:59",
        "9999-12-31T23:59:59Z",
    ],
)
def test_a_time_that_the_pattern_accepts_is_decoded_and_has_a_time_in_utc(text: str) -> None:
    assert re.search(PATTERN, text)
    assert len(text) <= INSTANT_SCHEMA["maxLength"]
    assert isinstance(msgspec.convert(text, Until).astimezone(UTC), datetime)


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=OFFSETS))  # noqa: DTZ001
def test_every_day_of_the_calendar_matches_the_pattern(moment: datetime) -> None:
    text = f"{moment.year:04}{moment.isoformat()[4:]}"
    assert re.search(PATTERN, text)
    assert msgspec.convert(text, Until) == moment


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T14:00:00+24:00",
        "2026-11-23T14:00:00+99:99",
        "2026-11-23T14:00:00,5Z",
        "2026-11-23T14:00:00.1234567890Z",
        "2026-11-23T14:00:00",
        "2026-11-23t14:00:00z",
        "2026-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "0000-02-29T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59.999999999Z",
        "9999-12-31T23:59:59-01:00",
        "tomorrow",
    ],
)
def test_an_impossible_date_or_time_does_not_match_the_pattern(text: str) -> None:
    assert not re.search(PATTERN, text)
