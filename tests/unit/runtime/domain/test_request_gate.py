"""When requests are withheld from a store that refuses them."""

import pytest

from sluice_runtime.domain.request_gate import RequestGate


@pytest.fixture
def gate() -> RequestGate:
    return RequestGate()


def attempts_until(gate: RequestGate, end: int) -> list[int]:
    """Try a write each second, which is always refused; return when it was sent."""
    sent = []
    for at in range(end):
        if gate.message_if_withheld("writes", at) is None:
            sent.append(at)
            gate.start_attempt("writes", at)
            gate.record_refusal("writes", "no quota", at, at)
    return sent


def test_the_interval_doubles_up_to_a_minute(gate: RequestGate) -> None:
    assert attempts_until(gate, 260) == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]


def test_the_first_success_ends_it(gate: RequestGate) -> None:
    attempts_until(gate, 100)
    gate.record_success("writes", 123)
    assert gate.message_if_withheld("writes", 123) is None
    assert attempts_until(gate, 4) == [0, 1, 3]


def test_reads_wait_with_writes_but_not_writes_with_reads(gate: RequestGate) -> None:
    gate.record_refusal("writes", "no quota", 0, 0)
    assert gate.message_if_withheld("reads", 0.5) == "no quota"
    gate.record_success("reads", 0.9)
    assert gate.message_if_withheld("writes", 0.5) == "no quota"
    other = RequestGate()
    other.record_refusal("reads", "no quota", 0, 0)
    assert other.message_if_withheld("writes", 0.5) is None
    assert other.message_if_withheld("reads", 0.5) == "no quota"


def test_deletes_have_their_own_quota(gate: RequestGate) -> None:
    gate.record_refusal("deletes", "no quota", 0, 0)
    assert gate.message_if_withheld("writes", 0.5) is None
    assert gate.message_if_withheld("reads", 0.5) is None
    assert gate.message_if_withheld("deletes", 0.5) == "no quota"


def test_only_one_attempt_is_sent_per_interval(gate: RequestGate) -> None:
    gate.record_refusal("writes", "no quota", 0, 0)
    assert gate.message_if_withheld("writes", 1.0) is None
    gate.start_attempt("writes", 1.0)
    assert gate.message_if_withheld("writes", 1.1) == "no quota"
    assert gate.message_if_withheld("reads", 1.1) == "no quota"


def test_requests_that_were_in_flight_together_count_once(gate: RequestGate) -> None:
    for _ in range(5):
        gate.record_refusal("writes", "no quota", 0.0, 0.1)
    assert gate.message_if_withheld("writes", 1.0) == "no quota"
    assert gate.message_if_withheld("writes", 1.1) is None
    gate.record_success("writes", 0.0)
    assert gate.message_if_withheld("writes", 1.0) == "no quota"


def test_a_requested_delay_is_kept_up_to_a_minute(gate: RequestGate) -> None:
    gate.record_refusal("writes", "no quota", 0, 0, 30.0)
    assert gate.message_if_withheld("writes", 29.9) == "no quota"
    assert gate.message_if_withheld("writes", 30.0) is None
    gate.record_refusal("writes", "no quota", 30.0, 30.0, 3600.0)
    assert gate.message_if_withheld("writes", 90.0) is None


def test_the_next_attempt_can_be_permitted(gate: RequestGate) -> None:
    attempts_until(gate, 64)
    gate.permit_next_attempt()
    assert gate.message_if_withheld("writes", 64) is None
    gate.start_attempt("writes", 64)
    gate.record_refusal("writes", "no quota", 64, 64)
    assert gate.message_if_withheld("writes", 123) == "no quota"
