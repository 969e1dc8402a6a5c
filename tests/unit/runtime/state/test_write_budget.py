from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from sluice_runtime.aio.latest_value import LatestValue
from sluice_runtime.domain.heartbeat_owner import StoredHeartbeat
from sluice_runtime.domain.write_budget import budget_day
from sluice_runtime.state.write_budget import DailyWriteBudget
from support.runtime_fakes import desired, identity

NOON = datetime(2026, 11, 28, 20, tzinfo=UTC)  # in Los Angeles
DAY = budget_day(NOON)
SYMBOLS = [f"S{number:02}" for number in range(20)]


class World:
    """The budget of a job at a time that the test sets."""

    def __init__(self, limit: int | None = 20_000, **spec: Any) -> None:
        limits: dict[str, Any] = {} if limit is None else {"limits": {"writesPerDay": limit}}
        self.now = NOON
        self.desired = LatestValue(desired(symbols=SYMBOLS, **limits, **spec))
        self.budget = DailyWriteBudget(self.desired, lambda: self.now)

    def set_limit(self, limit: int | None) -> None:
        wanted = self.desired.value
        limits = msgspec.structs.replace(wanted.limits, writes_per_day=limit)
        self.desired.set(msgspec.structs.replace(wanted, limits=limits))


def stored(**changes: Any) -> StoredHeartbeat:
    fields: dict[str, Any] = {
        "job": "acme/us",
        "job_uid": "0b0b",
        "cluster": None,
        "epoch": 7,
        "status": "stopped",
        "interval_seconds": 15.0,
        "age_seconds": 5.0,
        "writes_day": "2026-11-28",
        "writes_used": 1234,
    }
    return StoredHeartbeat(**(fields | changes))


def test_without_a_budget_documents_are_counted_and_nothing_is_limited() -> None:
    world = World(limit=None)
    world.budget.record_sent(7)
    account = world.budget.account()
    assert (account.day, account.used, account.resets_at) == (DAY.day, 7, DAY.ends)
    assert (account.limit, account.state, account.documents_per_second) == (None, None, None)
    assert world.budget.update_state() is None
    assert world.budget.room_for_data > 10**9
    assert world.budget.room_for_transitions > 10**9
    assert world.budget.effective_interval_seconds == world.desired.value.effective_interval_seconds


def test_documents_that_were_not_written_are_taken_back() -> None:
    world = World()
    day = world.budget.record_sent(5)
    world.budget.record_not_written(2, day)
    assert world.budget.account().used == 3


def test_the_interval_of_a_symbol_follows_the_pace() -> None:
    world = World()
    world.budget.record_sent(10_000)
    account = world.budget.account()
    assert account.documents_per_second == (10_000 - 2881 - 400) / 43_200  # half of the day is left
    assert account.paced_interval_seconds == 20 / account.documents_per_second
    assert world.budget.effective_interval_seconds == account.paced_interval_seconds
    world.budget.renew_open_seconds(3600)
    assert world.budget.documents_per_second == (10_000 - 2881 - 400) / 3600


def test_the_limits_of_the_job_apply_while_they_are_slower_than_the_pace() -> None:
    world = World(limit=100_000_000)
    account = world.budget.account()
    assert account.documents_per_second is not None
    assert account.documents_per_second > 20
    assert account.paced_interval_seconds is None
    assert world.budget.effective_interval_seconds == 1.0


def test_the_state_goes_from_sufficient_to_slowed_to_exhausted() -> None:
    world = World()
    assert world.budget.update_state() == "Sufficient"
    world.budget.continue_count(None, identity())
    assert world.budget.update_state() == "Sufficient"
    world.now = DAY.ends - timedelta(minutes=10)
    world.budget.record_sent(16_000)
    assert world.budget.update_state() == "Slowed"
    world.budget.record_sent(world.budget.room_for_data)
    assert world.budget.update_state() == "Exhausted"
    assert world.budget.room_for_data == 0
    assert world.budget.room_for_transitions == 400


def test_a_used_up_budget_stays_so_although_heartbeats_are_missed() -> None:
    world = World()
    world.budget.continue_count(None, identity())
    world.budget.record_sent(17_000)
    assert world.budget.update_state() == "Exhausted"
    world.now = DAY.ends - timedelta(minutes=1)
    assert world.budget.room_for_data > 1000
    assert world.budget.update_state() == "Exhausted"
    assert world.budget.account().state == "Exhausted"


def test_the_next_day_starts_with_the_whole_budget() -> None:
    world = World()
    world.budget.continue_count(None, identity())
    world.budget.record_sent(17_000)
    assert world.budget.update_state() == "Exhausted"
    world.now = DAY.ends
    assert world.budget.update_state() == "Sufficient"
    assert world.budget.account().used == 0


def test_a_larger_limit_applies_at_once_and_a_smaller_one_does_not_resume() -> None:
    world = World(limit=40_000)
    world.budget.continue_count(None, identity())
    world.budget.record_sent(37_000)
    assert world.budget.update_state() == "Exhausted"
    world.set_limit(30_000)
    assert world.budget.update_state() == "Exhausted"
    world.set_limit(80_000)
    assert world.budget.update_state() == "Sufficient"
    world.set_limit(30_000)
    assert world.budget.update_state() == "Exhausted"
    world.set_limit(None)
    assert world.budget.update_state() is None


def test_the_count_continues_that_of_the_previous_process() -> None:
    world = World()
    world.budget.record_sent(3)  # before the heartbeat document could be read
    world.budget.continue_count(stored(), identity())
    assert world.budget.account().used == 1237
    assert world.budget.is_continued.value


def test_the_count_of_another_job_is_not_continued() -> None:
    world = World()
    world.budget.continue_count(stored(job_uid="another"), identity())
    assert (world.budget.account().used, world.budget.is_continued.value) == (0, True)


def test_a_crash_is_charged_within_what_the_previous_process_could_write() -> None:
    world = World()
    world.budget.continue_count(stored(status="running"), identity())
    charged = world.budget.account().used - 1234
    pace = (20_000 - 1234 - 2881 - 400) / 43_200
    assert charged == round(8 * pace) + 20 + 20  # the burst is 40, but there are only 20 symbols
    late = World()
    late.budget.continue_count(stored(status="running", writes_used=17_100), identity())
    assert late.budget.account().used == 20_000 - 2881  # the heartbeats of the rest of the day stay set aside


def test_a_restart_with_hardly_anything_left_does_not_resume() -> None:
    world = World()
    world.budget.continue_count(stored(writes_used=20_000 - 2881 - 400 - 150), identity())
    assert world.budget.room_for_data == 150
    assert world.budget.update_state() == "Exhausted"
    running = World()
    running.budget.continue_count(stored(), identity())
    running.budget.update_state()
    running.budget.record_sent(running.budget.room_for_data - 150)
    assert running.budget.update_state() == "Slowed"
