import re
from datetime import datetime

import msgspec
import pytest

from sluice_contract.instants import INSTANT_SCHEMA
from sluice_contract.values import Until


@pytest.mark.parametrize(
    "text",
    ["2026-11-23T14:00:00Z", "2026-11-23T14:00:00.123456789+23:59", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"],
)
def test_a_time_that_the_pattern_accepts_is_decoded(text: str) -> None:
    assert re.search(INSTANT_SCHEMA["pattern"], text)
    assert len(text) <= INSTANT_SCHEMA["maxLength"]
    assert isinstance(msgspec.convert(text, Until), datetime)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T14:00:00+24:00",
        "2026-11-23T14:00:00,5Z",
        "2026-11-23T14:00:00.1234567890Z",
        "2026-11-23T14:00:00",
        "tomorrow",
    ],
)
def test_what_no_calendar_or_clock_shows_does_not_fit_the_pattern(text: str) -> None:
    assert not re.search(INSTANT_SCHEMA["pattern"], text)
