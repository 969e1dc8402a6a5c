"""Jobs that pause objects cover: their conditions, their pods, and pods that do not confirm the pause."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sluice_contract import conditions as c
from sluice_operator.domain import facts

from .fakes import Document
from .pause_fakes import REASON
from .world import KEY, NOW, SYNTHETIC, World, declared, found, live

PAUSE = (KEY[0], "us")
FLEET = ("", "fleet")
SELECTED: Document = {"jobSelector": {}}
COVERING = {"by name": (PAUSE, {"jobs": [KEY[1]]}), "by selector": (PAUSE, SELECTED), "of the cluster": (FLEET, {})}


def acknowledged(*sources: str, reason: str | None = None) -> Document:
    """Return a pod's report of a pause by these switches."""
    listed = [{"source": each} | ({"reason": reason} if reason else {}) for each in sources]
    pause = {"source": sources[0], "acknowledgedAt": NOW.isoformat(), "sources": listed}
    return {"state": "Paused", "ingestEnabled": False, "ingestEnabledSource": sources[0], "pause": pause}


def symbols(*paused: str) -> Document:
    """Return a pod's report of paused symbols."""
    counts = {"live": "1/1", "desired": 2 - len(paused), "confirmed": 2 - len(paused), "pending": 0, "rejected": 0}
    return {"symbols": counts | {"paused": len(paused), "pausedSymbols": list(paused)}}


async def advance_in_steps(world: World, seconds: int) -> None:
    """Advance the time with the pod reporting nothing new."""
    await world.settle()
    for _ in range(seconds):
        await world.advance(1)


@pytest.mark.parametrize(("key", "spec"), COVERING.values(), ids=COVERING)
async def test_a_pod_that_does_not_confirm_a_pause_is_deleted_within_fifteen_seconds(
    world: World, key: tuple[str, str], spec: Document
) -> None:
    await live(world)
    world.pauses.declare(key, spec)
    await world.settle()
    assert world.ready == ("False", c.PAUSING)
    await world.advance(13.9)
    assert not facts.pod_is_terminating(world.pod)
    await world.advance(0.2)
    assert facts.pod_is_terminating(world.pod)
    assert c.STOP_ENFORCED in world.recorder.reasons


async def test_no_pod_is_created_while_a_pause_covers_the_job_and_its_end_is_followed(world: World) -> None:
    until = NOW + timedelta(seconds=100)
    world.pauses.declare(FLEET, {"until": until.isoformat(), "by": "alice"})
    await declared(world)
    assert world.cluster.pods == {}
    assert world.ready == ("True", c.PAUSED_REASON)
    paused = found(world.job.status, c.PAUSED)
    assert paused is not None
    assert (paused.status, paused.reason) == ("True", c.NOTHING_CONNECTED)
    assert f'clusterpause:fleet (alice: "{REASON}") until' in paused.message
    await world.advance(99)
    assert world.cluster.pods == {}
    await world.advance(2)
    assert len(world.cluster.pods) == 1
    assert found(world.job.status, c.PAUSED) is None


async def test_the_end_of_a_pause_creates_the_pod(world: World) -> None:
    world.pauses.declare(PAUSE, SELECTED)
    await declared(world)
    assert world.cluster.pods == {}
    world.pauses.remove(PAUSE)
    await world.settle()
    assert len(world.cluster.pods) == 1


async def test_a_confirmed_pause_deletes_nothing_and_is_shown_with_its_words(world: World) -> None:
    await live(world)
    world.pauses.declare(PAUSE, SELECTED)
    await world.settle()
    await world.advance(5)
    await world.streams(**acknowledged("pause:us", reason=REASON))
    await advance_in_steps(world, 60)
    assert not facts.pod_is_terminating(world.pod)
    assert world.ready == ("True", c.PAUSED_REASON)
    paused = found(world.job.status, c.PAUSED)
    assert paused is not None
    assert paused.message == f'Paused by pause:us ("{REASON}"), without an end.'


async def test_a_closed_pod_has_to_confirm_a_second_pause_only_before_it_streams_again(world: World) -> None:
    await live(world)
    await declared(world, SYNTHETIC | {"enabled": False})
    await world.streams(**acknowledged("spec.enabled"))
    world.pauses.declare(PAUSE, SELECTED)
    await advance_in_steps(world, 40)
    assert not facts.pod_is_terminating(world.pod)
    assert world.store.pauses.jobs_of_pause(PAUSE).waiting == {KEY}
    await declared(world, SYNTHETIC)
    await world.streams()  # the pod does not see the pause
    await world.advance(14.1)
    assert facts.pod_is_terminating(world.pod)


async def test_a_pause_that_is_not_understood_is_in_force_and_named(world: World) -> None:
    world.pauses.declare(PAUSE, {"jobs": 7})
    await declared(world)
    assert world.cluster.pods == {}
    paused = found(world.job.status, c.PAUSED)
    assert paused is not None
    assert "unreadable" in paused.message
    assert "IngestPause us: spec.jobs is not understood" in paused.message


async def test_a_pod_confirms_a_pause_that_it_does_not_understand(world: World) -> None:
    await live(world)
    world.pauses.declare(PAUSE, SELECTED)
    await world.settle()
    await world.streams(**acknowledged("unreadable", reason="IngestPause us: spec.x is not understood"))
    assert world.store.pauses.jobs_of_pause(PAUSE).acknowledged_count == 1


async def test_a_pause_of_a_symbol_that_the_pod_reports_is_acknowledged(world: World) -> None:
    await live(world)
    world.pauses.declare(PAUSE, SELECTED | {"symbols": ["AAPL", "MSFT"]})
    await world.settle()
    assert world.store.pauses.jobs_of_pause(PAUSE).waiting == {KEY}
    await world.streams(**symbols("AAPL"))
    assert world.store.pauses.jobs_of_pause(PAUSE).acknowledged_count == 1
    await advance_in_steps(world, 60)
    assert not facts.pod_is_terminating(world.pod)


async def test_a_pause_of_a_symbol_that_the_pod_does_not_report_deletes_the_pod(world: World) -> None:
    await live(world)
    world.pauses.declare(FLEET, {"symbols": ["AAPL"]})
    await world.settle()
    await world.advance(14.1)
    assert facts.pod_is_terminating(world.pod)
    [event] = [each for each in world.recorder.reports if each.transition.condition.reason == c.STOP_ENFORCED]
    assert "the pause of AAPL" in event.transition.condition.message


async def test_a_pause_of_symbols_that_the_job_does_not_have_concerns_it_not(world: World) -> None:
    await live(world)
    world.pauses.declare(FLEET, {"symbols": ["MSFT"]})
    await advance_in_steps(world, 30)
    assert not facts.pod_is_terminating(world.pod)
    assert world.store.pauses.jobs_of_pause(FLEET).selected_count == 0


async def test_with_more_symbols_than_names_the_number_counts(world: World) -> None:
    names = [f"S{number:02d}" for number in range(30)]
    spec = SYNTHETIC | {"symbols": [*names, "AAPL"]}
    world.cluster.bound = True
    await declared(world, spec)
    await world.streams()
    world.pauses.declare(PAUSE, SELECTED | {"symbols": names})
    await world.settle()
    counts = {"live": "1/1", "desired": 1, "confirmed": 1, "pending": 0, "rejected": 0, "pausedSymbols": names[:20]}
    await world.streams(symbols=counts | {"paused": 29})
    assert world.store.pauses.jobs_of_pause(PAUSE).waiting == {KEY}
    await world.streams(symbols=counts | {"paused": 30})
    assert world.store.pauses.jobs_of_pause(PAUSE).waiting == set()


async def test_a_pod_that_does_not_understand_the_spec_is_not_deleted_for_a_symbol(world: World) -> None:
    await live(world)
    await declared(world, SYNTHETIC | {"symbols": ["SPY", "AAPL", "QQQ"]})
    await world.streams(observedGeneration=1, specProblem="spec.x is not understood")
    world.pauses.declare(PAUSE, SELECTED | {"symbols": ["QQQ"]})
    await advance_in_steps(world, 60)
    assert not facts.pod_is_terminating(world.pod)
    assert world.store.pauses.jobs_of_pause(PAUSE).waiting == {KEY}


async def test_a_restarted_operator_knows_the_pauses(world: World) -> None:
    world.pauses.declare(FLEET, {})
    await declared(world)
    world.start()
    await world.settle()
    assert world.cluster.pods == {}
    assert world.store.pauses.jobs_of_pause(FLEET).acknowledged_count == 1
