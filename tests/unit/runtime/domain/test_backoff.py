from sluice_runtime.domain.backoff import Backoff


def longest(_: float, high: float) -> float:
    return high


def test_the_ceiling_doubles_with_each_failure_up_to_the_cap() -> None:
    backoff = Backoff(1.0, 60.0, longest)
    assert [backoff.next_delay() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_any_time_below_the_ceiling_may_come() -> None:
    asked: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        asked.append((low, high))
        return low

    backoff = Backoff(1.0, 60.0, uniform)
    assert [backoff.next_delay() for _ in range(3)] == [0, 0, 0]
    assert asked == [(0, 1), (0, 2), (0, 4)]


def test_the_peer_s_requested_wait_is_the_minimum() -> None:
    backoff = Backoff(1.0, 60.0, longest)
    assert backoff.next_delay(at_least=30.0) == 30.0
    assert backoff.next_delay(at_least=0.5) == 2.0


def test_a_reset_clears_the_failures() -> None:
    backoff = Backoff(1.0, 60.0, longest)
    backoff.next_delay()
    backoff.next_delay()
    backoff.reset()
    assert backoff.next_delay() == 1.0


def test_a_year_of_failures_does_not_overflow() -> None:
    backoff = Backoff(1.0, 60.0, longest)
    assert {backoff.next_delay() for _ in range(5_000)} == {1, 2, 4, 8, 16, 32, 60}
