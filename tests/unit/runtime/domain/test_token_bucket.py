import pytest

from sluice_runtime.domain.token_bucket import TokenBucket


def test_a_bucket_starts_full_and_never_exceeds_its_burst() -> None:
    budget = TokenBucket(20, 40, 100.0)
    assert budget.available_tokens(100.0) == 40
    assert budget.available_tokens(1_000_000.0) == 40


def test_spent_tokens_come_back_at_the_rate() -> None:
    budget = TokenBucket(20, 40, 0.0)
    budget.spend_tokens(40)
    assert [budget.available_tokens(at) for at in (0.0, 0.049, 0.05, 1.0)] == [0, 0, 1, 20]


@pytest.mark.parametrize("rate", [1, 3, 7, 20, 500])
def test_a_minute_of_flushes_gives_a_minute_of_tokens_despite_rounding(rate: int) -> None:
    budget = TokenBucket(rate, 1000, 0.0)
    budget.spend_tokens(1000)
    written = 0
    for tick in range(1, 301):
        room = budget.available_tokens(tick * 0.2)
        budget.spend_tokens(room)
        written += room
    assert rate * 60 - 1 <= written <= rate * 60


def test_the_tokens_are_never_negative() -> None:
    budget = TokenBucket(1, 5, 0.0)
    budget.spend_tokens(50)
    assert budget.available_tokens(1.0) == 1


def test_new_limits_keep_the_tokens_up_to_the_new_burst() -> None:
    budget = TokenBucket(20, 40, 0.0)
    budget.set_limits(100, 10, 0.0)
    assert budget.available_tokens(0.0) == 10
    budget.set_limits(5, 1000, 0.0)
    assert budget.available_tokens(0.0) == 10
    assert budget.available_tokens(2.0) == 20


def test_tokens_from_before_a_change_accrue_at_the_old_rate() -> None:
    budget = TokenBucket(10, 100, 0.0)
    budget.spend_tokens(100)
    budget.set_limits(1, 100, 5.0)
    assert budget.available_tokens(6.0) == 51
