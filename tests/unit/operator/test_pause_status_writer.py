"""The writes of the statuses of pauses: coalesced, only when something has changed, and only the status."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from sluice_contract import pause_conditions as c
from sluice_contract.pauses import PauseStatus
from sluice_operator.domain.pause_objects import PauseKey, PauseObject
from sluice_operator.pause_state import PauseState
from sluice_operator.pause_status_writer import PauseStatusWriter, StatusClocks
from sluice_operator.ports import RequestRefused, Unavailable

from .pause_fakes import FakePauses
from .test_pause_state import job

START = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
FLEET: PauseKey = ("", "fleet")
PAUSE: PauseKey = ("acme", "p")


class Rig:
    """A writer that runs in virtual time, with 1,000 jobs of one namespace."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.started = loop.time()
        clocks = StatusClocks(lambda: START + timedelta(seconds=loop.time() - self.started), loop.time)
        self.store = FakePauses(lambda: self.state)
        self.writer = PauseStatusWriter(self.store, lambda: self.state, clocks, lambda _: "Apply the role.")
        self.state = PauseState(lambda _: None, self.writer.request_update)
        self.leads = asyncio.Event()
        self.leads.set()
        self.jobs = [job(f"job-{number:04d}") for number in range(1000)]
        for each in self.jobs:
            self.state.update_job(each.key, each)

    def assess(self, key: PauseKey, is_acknowledged: bool, first: int = 0, last: int = 1000) -> None:
        """Let these jobs report whether they have acknowledged the pause."""
        for each in self.jobs[first:last]:
            self.state.record_assessment(each.key, {key: is_acknowledged})

    def reasons(self, key: PauseKey) -> dict[str, str]:
        """Return the reasons of the conditions in the stored status."""
        return {each.type: each.reason for each in self.store.status(key).conditions}


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    """A rig whose writer runs."""
    made = Rig()
    running = asyncio.create_task(made.writer.run(made.leads))
    yield made
    running.cancel()


async def test_a_thousand_acknowledgements_cause_one_write_a_second(rig: Rig) -> None:
    rig.store.declare(FLEET, {})
    rig.assess(FLEET, False)
    await asyncio.sleep(0.1)
    assert rig.store.status(FLEET).acknowledged == "0/1000"
    for first in range(0, 1000, 10):
        rig.assess(FLEET, True, first, first + 10)
        await asyncio.sleep(0.03)
    await asyncio.sleep(1.1)
    assert rig.store.status(FLEET).acknowledged == "1000/1000"
    assert rig.reasons(FLEET)[c.ACKNOWLEDGED] == c.ACKNOWLEDGED_REASON
    assert len(rig.store.writes) <= 6


async def test_nothing_is_written_before_each_job_was_assessed(rig: Rig) -> None:
    rig.store.declare(PAUSE, {"jobSelector": {}})
    rig.assess(PAUSE, True, 0, 999)
    await asyncio.sleep(5)
    assert rig.store.writes == []
    rig.assess(PAUSE, True, 999, 1000)
    await asyncio.sleep(0.1)
    assert rig.store.writes == [PAUSE]


async def test_after_ten_seconds_the_reason_changes_without_any_event(rig: Rig) -> None:
    rig.store.declare(PAUSE, {"jobSelector": {}})
    rig.assess(PAUSE, True)
    rig.assess(PAUSE, False, 100, 150)
    await asyncio.sleep(1.5)
    status = rig.store.status(PAUSE)
    assert (status.acknowledged, len(status.waiting_for), status.waiting_for[0]) == ("950/1000", 20, "job-0100")
    assert rig.reasons(PAUSE)[c.RECONCILING] == c.WAITING
    await asyncio.sleep(10)
    assert rig.reasons(PAUSE)[c.RECONCILING] == c.NOT_ACKNOWLEDGED
    assert "Apply the role." in rig.store.status(PAUSE).conditions[1].message
    writes = len(rig.store.writes)
    await asyncio.sleep(600)
    assert len(rig.store.writes) == writes


async def test_the_end_of_a_pause_is_written_at_its_time(rig: Rig) -> None:
    rig.store.declare(FLEET, {"until": (START + timedelta(seconds=30)).isoformat()})
    rig.assess(FLEET, True)
    await asyncio.sleep(29)
    assert rig.reasons(FLEET)[c.IN_FORCE] == c.IN_FORCE_REASON
    await asyncio.sleep(1.1)
    assert rig.reasons(FLEET) == {c.IN_FORCE: c.EXPIRED}
    rig.store.declare(FLEET, {"until": (START + timedelta(seconds=90)).isoformat()})
    rig.assess(FLEET, True)
    await asyncio.sleep(1.1)
    assert rig.reasons(FLEET)[c.IN_FORCE] == c.IN_FORCE_REASON


async def test_a_failed_write_is_retried_and_a_standby_writes_nothing(rig: Rig) -> None:
    rig.leads.clear()
    rig.store.failures["status"] = Unavailable("away")
    rig.store.declare(PAUSE, {"jobs": ["none"]})
    await asyncio.sleep(5)
    rig.leads.set()
    await asyncio.sleep(0.1)
    assert rig.store.status(PAUSE) == PauseStatus()
    rig.store.failures.clear()
    await asyncio.sleep(5)
    assert rig.reasons(PAUSE)[c.IN_FORCE] == c.NOTHING_SELECTED


async def test_a_write_that_is_refused_is_attempted_at_most_once_a_second(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[PauseKey] = []

    async def refuse(key: PauseKey, _: PauseStatus) -> PauseObject:
        attempts.append(key)
        raise RequestRefused("forbidden")

    monkeypatch.setattr(rig.store, "write_pause_status", refuse)
    rig.store.declare(FLEET, {})
    rig.assess(FLEET, False)
    for first in range(0, 1000, 10):
        rig.assess(FLEET, True, first, first + 10)
        await asyncio.sleep(0.03)
    assert 2 <= len(attempts) <= 4


async def test_the_wait_for_the_jobs_begins_again_when_the_pause_changes(rig: Rig) -> None:
    rig.store.declare(PAUSE, {"jobSelector": {}})
    rig.assess(PAUSE, False)
    await asyncio.sleep(12)
    assert rig.reasons(PAUSE)[c.RECONCILING] == c.NOT_ACKNOWLEDGED
    rig.store.declare(PAUSE, {"jobSelector": {}, "by": "alice"})
    rig.assess(PAUSE, False)
    await asyncio.sleep(1.1)
    assert rig.reasons(PAUSE)[c.RECONCILING] == c.WAITING
    await asyncio.sleep(10)
    assert rig.reasons(PAUSE)[c.RECONCILING] == c.NOT_ACKNOWLEDGED


async def test_a_pause_that_is_gone_is_forgotten(rig: Rig) -> None:
    rig.store.declare(PAUSE, {"jobs": ["none"]})
    await asyncio.sleep(0.1)
    rig.store.remove(PAUSE)
    await asyncio.sleep(5)
    assert rig.store.writes == [PAUSE]
