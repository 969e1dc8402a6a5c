"""When requests are withheld from a store that refuses them."""

import pytest

from sluice_runtime.sinks.firestore.request_gate import RequestGate, RequestKind


@pytest.fixture
def gate() -> RequestGate:
    return RequestGate()


def message(gate: RequestGate, kind: RequestKind, at: float) -> str | None:
    """Return why a request is withheld; None if it is sent."""
    refusal = gate.refusal_if_withheld(kind, at)
    return refusal[1] if refusal else None


def attempts_until(gate: RequestGate, end: int) -> list[int]:
    """Try a write each second, which is always refused; return when it was sent."""
    sent = []
    for at in range(end):
        if message(gate, "writes", at) is None:
            sent.append(at)
            gate.start_attempt("writes", at)
            gate.record_refusal("writes", "no quota", at, at)
    return sent


def test_the_interval_doubles_up_to_a_minute(gate: RequestGate) -> None:
    assert attempts_until(gate, 260) == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]


def test_the_first_success_ends_it(gate: RequestGate) -> None:
    attempts_until(gate, 100)
    gate.record_success("writes", 123)
    assert message(gate, "writes", 123) is None
    assert attempts_until(gate, 4) == [0, 1, 3]


def test_reads_wait_with_writes_but_not_writes_with_reads(gate: RequestGate) -> None:
    gate.record_refusal("writes", "no quota", 0, 0)
    assert message(gate, "reads", 0.5) == "no quota"
    assert gate.refusal_if_withheld("reads", 0.5) == ("writes", "no quota")
    gate.record_success("reads", 0.9)
    assert message(gate, "writes", 0.5) == "no quota"
    other = RequestGate()
    other.record_refusal("reads", "no quota", 0, 0)
    assert message(other, "writes", 0.5) is None
    assert message(other, "reads", 0.5) == "no quota"


def test_deletes_have_their_own_quota(gate: RequestGate) -> None:
    gate.record_refusal("deletes", "no quota", 0, 0)
    assert message(gate, "writes", 0.5) is None
    assert message(gate, "reads", 0.5) is None
    assert message(gate, "deletes", 0.5) == "no quota"


def test_only_one_attempt_is_sent_per_interval(gate: RequestGate) -> None:
    gate.record_refusal("writes", "no quota", 0, 0)
    assert message(gate, "writes", 1.0) is None
    gate.start_attempt("writes", 1.0)
    assert message(gate, "writes", 1.1) == "no quota"
    assert message(gate, "reads", 1.1) == "no quota"


def test_requests_that_were_in_flight_together_count_once(gate: RequestGate) -> None:
    for _ in range(5):
        gate.record_refusal("writes", "no quota", 0.0, 0.1)
    assert message(gate, "writes", 1.0) == "no quota"
    assert message(gate, "writes", 1.1) is None
    gate.record_success("writes", 0.0)
    assert message(gate, "writes", 1.0) == "no quota"


def test_a_requested_delay_is_kept_up_to_a_minute(gate: RequestGate) -> None:
    gate.record_refusal("writes", "no quota", 0, 0, 30.0)
    assert message(gate, "writes", 29.9) == "no quota"
    assert message(gate, "writes", 30.0) is None
    gate.record_refusal("writes", "no quota", 30.0, 30.0, 3600.0)
    assert message(gate, "writes", 90.0) is None


def test_the_next_attempt_can_be_permitted(gate: RequestGate) -> None:
    attempts_until(gate, 64)
    gate.permit_next_attempt()
    assert message(gate, "writes", 64) is None
    gate.start_attempt("writes", 64)
    gate.record_refusal("writes", "no quota", 64, 64)
    assert message(gate, "writes", 123) == "no quota"
