"""Stops that a pod does not confirm, and stops that are not understood."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest

from sluice_contract import conditions as c
from sluice_operator.domain import facts
from sluice_operator.ports import RequestRefused

from .fakes import Document
from .world import KEY, NOW, SYNTHETIC, World, condition, declared, found, live, pause

PAUSED = SYNTHETIC | {"enabled": False}
UNREADABLE_PAUSE = SYNTHETIC | {"pause": {"until": []}}
UNKNOWN_FIELD_VALUE = SYNTHETIC | {"channels": ["quotes", "depth"]}
ONE_SYMBOL = SYNTHETIC | {"pausedSymbols": [{"symbol": "AAPL"}]}

STOPS: dict[str, Document] = {
    "enabled is false": PAUSED,
    "a pause": SYNTHETIC | {"pause": {"reason": "vendor"}},
    "a pause that is not understood": UNREADABLE_PAUSE,
    "enabled is not understood": SYNTHETIC | {"enabled": "no"},
    "a pause beside a field that is not understood": UNKNOWN_FIELD_VALUE | {"enabled": False},
    "a pause of one symbol": ONE_SYMBOL,
}


def events(world: World) -> list[str]:
    return [report.transition.condition.reason for report in world.recorder.reports]


@pytest.mark.parametrize("spec", STOPS.values(), ids=STOPS)
async def test_a_pod_that_does_not_confirm_a_stop_is_deleted_within_fifteen_seconds(
    world: World, spec: Document
) -> None:
    await live(world)
    await declared(world, spec)
    await world.advance(13.9)
    assert not facts.pod_is_terminating(world.pod)
    await world.advance(0.2)
    assert facts.pod_is_terminating(world.pod)
    assert c.STOP_ENFORCED in events(world)
    [event] = [
        each.transition for each in world.recorder.reports if each.transition.condition.reason == c.STOP_ENFORCED
    ]
    assert event.warning
    assert "did not confirm" in event.condition.message


async def test_while_the_deleted_pod_still_exists_the_condition_says_since_when(world: World) -> None:
    await live(world)
    await declared(world, PAUSED)
    await world.advance(20)
    paused = found(world.job.status, c.PAUSED)
    assert paused is not None
    assert (paused.status, paused.reason) == ("False", c.NOT_ACKNOWLEDGED)
    assert "2026-03-02T15:00:00Z" in paused.message
    world.cluster.finish(KEY)
    await world.settle()
    assert condition(world.job.status, c.PAUSED) == ("True", c.NOTHING_CONNECTED)


async def test_pods_that_never_confirm_are_replaced_at_growing_intervals(world: World) -> None:
    await live(world)
    await declared(world, PAUSED)
    deletions = []
    for _ in range(600):
        await world.advance(1)
        if KEY[1] + "-ingest" in {name for _, name in world.cluster.pods}:
            if facts.pod_is_terminating(world.pod):
                deletions.append(world.seconds)
                world.cluster.finish(KEY)
                await world.settle()
            elif not facts.ingest_container_is_running(world.pod):
                await world.streams()  # the pod runs but does not react
                world.cluster.pod_says(KEY, world.said(observedGeneration=1))
                await world.settle()
    gaps = [after - before for before, after in itertools.pairwise(deletions)]
    assert len(deletions) >= 4
    assert gaps == sorted(gaps)
    assert gaps[-1] > 100


async def test_a_confirmed_stop_deletes_nothing(world: World) -> None:
    await live(world)
    await declared(world, PAUSED)
    await world.advance(5)
    await world.streams(**pause())
    await world.advance(60)
    assert not facts.pod_is_terminating(world.pod)


async def test_a_confirmation_that_the_watch_missed_deletes_nothing(world: World) -> None:
    await live(world)
    await declared(world, PAUSED)
    world.watching = False
    await world.streams(**pause())
    world.watching = True
    await world.advance(20)
    assert not facts.pod_is_terminating(world.pod)
    assert world.ready == ("True", c.PAUSED_REASON)


async def test_without_a_stop_no_pod_is_deleted_because_its_reports_stop(world: World) -> None:
    await live(world)
    await declared(world, SYNTHETIC | {"symbols": ["SPY"]})
    await world.advance(600)
    assert not facts.pod_is_terminating(world.pod)
    assert condition(world.job.status, c.STREAMING) == ("Unknown", c.HEARTBEAT_STALE)


async def test_symbol_pauses_that_were_confirmed_stay_so_when_reports_stop(world: World) -> None:
    await live(world)
    await declared(world, ONE_SYMBOL)
    await world.streams()
    await declared(world, ONE_SYMBOL | {"symbols": ["SPY", "AAPL", "QQQ"]})
    await world.advance(60)
    assert not facts.pod_is_terminating(world.pod)


async def test_time_with_an_unreachable_api_server_does_not_count_for_a_stop(world: World) -> None:
    await live(world)
    await declared(world, PAUSED)
    world.away = 60.0
    world.seconds += 60
    await world.advance(10)
    assert not facts.pod_is_terminating(world.pod)
    await world.advance(6)
    assert facts.pod_is_terminating(world.pod)


async def test_a_pod_that_is_still_starting_is_given_a_minute(world: World) -> None:
    world.cluster.bound = True
    await declared(world, PAUSED)
    world.cluster.pod_is(KEY, phase="Running", containerStatuses=[RUNNING_CONTAINER])
    await world.settle()
    await world.advance(59)
    assert not facts.pod_is_terminating(world.pod)
    await world.advance(2)
    assert facts.pod_is_terminating(world.pod)


RUNNING_CONTAINER = {"name": "ingest", "state": {"running": {"startedAt": "2026-03-02T15:00:00Z"}}}


async def test_a_rejected_status_does_not_prevent_the_enforcement_of_a_stop(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live(world)
    await declared(world, PAUSED)
    await world.advance(11)

    async def refuse(*_: Any) -> None:
        raise RequestRefused("a webhook denies it")

    monkeypatch.setattr(world.cluster, "write_operator_status", refuse)
    with pytest.raises(RequestRefused):
        await world.advance(10)
    assert facts.pod_is_terminating(world.pod)


async def test_a_stop_field_that_is_not_understood_pauses_and_is_named(world: World) -> None:
    await declared(world, UNREADABLE_PAUSE)
    assert condition(world.job.status, c.PAUSED) == ("True", c.NOTHING_CONNECTED)
    ready = found(world.job.status, c.READY)
    assert ready is not None
    assert "spec.pause.until is not understood" in ready.message


async def test_a_pod_that_does_not_understand_the_spec_still_confirms_a_stop(world: World) -> None:
    await live(world)
    problem = {"observedGeneration": 1, "specProblem": "spec.channels[1] is not understood: Invalid enum value 'depth'"}
    await declared(world, PAUSED | {"limits": {"burst": 50}})
    await world.streams(**pause(), **problem, stopsGeneration=world.job.metadata.generation)
    assert condition(world.job.status, c.PAUSED) == ("True", c.PAUSED_REASON)
    assert world.ready == ("False", c.SPEC_NOT_UNDERSTOOD)
    await world.advance(60)
    assert not facts.pod_is_terminating(world.pod)


async def test_a_pod_keeps_streaming_when_another_field_is_not_understood(world: World) -> None:
    await live(world)
    await declared(world, UNKNOWN_FIELD_VALUE)
    assert world.ready == ("False", c.SPEC_NOT_UNDERSTOOD)
    assert condition(world.job.status, c.STALLED) == ("True", c.SPEC_NOT_UNDERSTOOD)
    assert world.job.status.observed_generation == 1
    await world.advance(60)
    assert not facts.pod_is_terminating(world.pod)
    assert condition(world.job.status, c.STREAMING) == ("True", c.STREAMING_REASON)


@pytest.mark.parametrize(
    "garbage",
    [
        {"phase": "Hibernating"},
        {"conditions": [{"type": "Ready", "status": "Maybe"}]},
        {"restart": {"count": "x"}},
        {"stream": {"state": "Dreaming", "gaps": [{}], "preflight": []}},
    ],
)
async def test_the_report_and_the_epoch_are_read_whatever_else_is_in_the_status(
    world: World, garbage: Document
) -> None:
    await live(world)
    epoch = world.job.status.epoch
    await declared(world, PAUSED)
    status = world.cluster.jobs[KEY]["status"]
    stream = world.said(**pause()) | garbage.get("stream", {})
    world.cluster.change("ingestjobs", world.cluster.jobs[KEY], status=status | garbage | {"stream": stream})
    await world.settle()
    assert condition(world.job.status, c.PAUSED) == ("True", c.PAUSED_REASON)
    assert world.job.status.epoch == epoch


async def test_a_foreign_epoch_leaves_room_for_the_next(world: World) -> None:
    await declared(world)
    largest = 2**53 - 1
    job = world.cluster.jobs[KEY]
    world.cluster.change("ingestjobs", job, status=job["status"] | {"epoch": largest})
    world.cluster.finish(KEY)
    await world.settle()
    assert world.job.status.epoch == largest
    assert msgspec.json.encode(world.job.status)


async def test_the_pod_of_a_job_that_is_being_deleted_is_deleted_and_none_is_created(world: World) -> None:
    await live(world)
    job = world.cluster.jobs[KEY]
    job["metadata"] |= {"deletionTimestamp": NOW.isoformat(), "finalizers": ["example.com/backup"]}
    world.cluster.change("ingestjobs", job, spec=SYNTHETIC | {"enabled": False})
    await world.settle()
    assert facts.pod_is_terminating(world.pod)
    assert world.ready == ("False", c.DELETING)
    assert "example.com/backup" in world.job.status.conditions[0].message
    world.cluster.finish(KEY)
    await world.settle()
    await world.advance(600)
    assert world.cluster.pods == {}
    assert world.ready == ("False", c.DELETING)
    assert condition(world.job.status, c.PAUSED) == ("True", c.NOTHING_CONNECTED)
    assert condition(world.job.status, c.STREAMING) == ("False", c.DELETING)
