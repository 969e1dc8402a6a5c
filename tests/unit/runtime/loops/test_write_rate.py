from datetime import UTC, datetime

from sluice_contract.limits import WriteLimits
from sluice_runtime.aio.latest_value import LatestValue
from sluice_runtime.loops.write_rate import WriteRate
from sluice_runtime.state.write_budget import DailyWriteBudget
from support.runtime_fakes import desired

NOON = datetime(2026, 11, 28, 20, tzinfo=UTC)  # in Los Angeles
HALF_A_DAY = 43_200


class World:
    """The rate of a job whose budget allows `pace` documents per second; None: it has no budget."""

    def __init__(self, pace: float | None = None, **limits: int) -> None:
        self.limits = WriteLimits(**limits)
        spec = {}
        if pace is not None:
            spec = {"writesPerDay": 1_000_000}
        self.budget = DailyWriteBudget(LatestValue(desired(limits=spec)), lambda: NOON)
        if pace is not None:
            self.budget.record_sent(self.budget.room_for_data - round(pace * HALF_A_DAY))
        self.rate = WriteRate(self.limits, self.budget, 0.0)


def test_without_a_budget_quotes_follow_the_token_bucket_and_bars_are_not_limited() -> None:
    world = World(writes_per_second=20, burst=40)
    assert world.rate.room_for_quotes(0.0) == 40
    world.rate.spend_on_quotes(40)
    world.rate.spend_on_bars(1000)
    assert world.rate.room_for_quotes(1.0) == 20
    assert world.rate.room_for_bars(1.0, has_quotes=True) > 10**9


def test_the_pace_refills_the_bucket_where_it_is_slower() -> None:
    world = World(pace=0.5, writes_per_second=20, burst=40)
    world.rate.room_for_quotes(0.0)
    world.rate.spend_on_quotes(40)
    assert world.rate.room_for_quotes(1.9) == 0
    assert world.rate.room_for_quotes(10.0) == 5


def test_a_pace_above_the_limits_changes_nothing() -> None:
    world = World(pace=21.0, writes_per_second=20, burst=40)
    world.rate.room_for_quotes(0.0)
    world.rate.spend_on_quotes(40)
    assert world.rate.room_for_quotes(1.0) == 20
    assert world.rate.room_for_bars(1.0, has_quotes=True) > 100_000


def test_new_limits_apply_from_the_next_call_on() -> None:
    world = World(writes_per_second=20, burst=40)
    world.rate.set_limits(WriteLimits(writes_per_second=5, burst=10))
    assert world.rate.room_for_quotes(0.0) == 10


def test_no_quote_is_written_beyond_the_budget_whatever_the_bucket_has() -> None:
    world = World(pace=0.0, writes_per_second=20, burst=40)
    world.budget.record_not_written(3, NOON.date())
    assert world.rate.room_for_quotes(0.0) == 3


def test_quotes_and_bars_share_the_pace() -> None:
    world = World(pace=1.0, writes_per_second=20, burst=10)
    assert world.rate.room_for_bars(0.0, has_quotes=False) == 10
    assert world.rate.room_for_bars(0.0, has_quotes=True) == 5
    world.rate.spend_on_bars(5)
    assert world.rate.room_for_quotes(0.0) == 5
    world.rate.spend_on_quotes(5)
    assert world.rate.room_for_quotes(0.0) == 0


def test_a_single_document_is_a_bar_and_a_quote_in_turn() -> None:
    world = World(pace=1.0, writes_per_second=20, burst=1)
    turns = []
    for second in range(1, 7):
        bars = world.rate.room_for_bars(float(second), has_quotes=True)
        world.rate.spend_on_bars(bars)
        quotes = world.rate.room_for_quotes(float(second))
        world.rate.spend_on_quotes(quotes)
        turns.append("bar" if bars else "quote" if quotes else "")
    assert turns == ["bar", "quote"] * 3
