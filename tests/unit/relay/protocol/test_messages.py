import time

import pytest

from sluice_relay.protocol.messages import ERRORS, ProtocolError, error_message, now, status_message, timestamp


@pytest.mark.parametrize("code", ERRORS)
def test_an_error_has_its_code_and_its_documented_text(code: int) -> None:
    assert error_message(code) == {"T": "error", "code": code, "msg": ERRORS[code]}
    assert str(ProtocolError(code)) == f"{code} {ERRORS[code]}"


def test_a_time_keeps_its_nanoseconds() -> None:
    assert timestamp(1_381_152_300_289_123_456).to_unix_nano() == 1_381_152_300_289_123_456
    assert abs(now().to_unix_nano() - time.time_ns()) < 10**9


def test_a_trading_status_has_the_documented_keys() -> None:
    assert list(status_message("SPY", "H", "T1")) == ["T", "S", "sc", "sm", "rc", "rm", "z", "t"]
