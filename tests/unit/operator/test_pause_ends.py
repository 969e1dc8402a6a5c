"""When a pause ends by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sluice_operator.domain.objects import Job
from sluice_operator.domain.observation import Observation
from sluice_operator.domain.pause_ends import pause_end

from .fakes import Document
from .pause_fakes import pause_object
from .world import KEY, NOW, SYNTHETIC, World, job_of, live, pause

HOUR, DAY = NOW + timedelta(hours=1), NOW + timedelta(days=1)
IN_AN_HOUR = {"reason": "split", "until": HOUR.isoformat()}


def observed(job: Job, *pauses: Document) -> Observation:
    objects = tuple(pause_object((KEY[0], f"p{number}"), each) for number, each in enumerate(pauses))
    return Observation(now=NOW, job=job, pod=None, pauses=objects)


def test_a_job_without_a_pause_has_no_end() -> None:
    assert pause_end(observed(job_of(SYNTHETIC))) is None


def test_the_latest_end_counts() -> None:
    job = job_of(SYNTHETIC | {"pause": IN_AN_HOUR})
    assert pause_end(observed(job)) == HOUR
    assert pause_end(observed(job, {"jobs": [KEY[1]], "until": DAY.isoformat()})) == DAY


@pytest.mark.parametrize("spec", [{"enabled": False}, {"enabled": False, "pause": IN_AN_HOUR}])
def test_a_switch_without_an_end_leaves_the_pause_without_one(spec: Document) -> None:
    assert pause_end(observed(job_of(SYNTHETIC | spec))) is None


def test_a_pause_object_without_an_end_does_too() -> None:
    job = job_of(SYNTHETIC | {"pause": IN_AN_HOUR})
    assert pause_end(observed(job, {"jobs": [KEY[1]]})) is None


@pytest.mark.parametrize(
    ("reported", "end"),
    [
        ({"sources": [{"source": "quota", "until": HOUR.isoformat()}]}, HOUR),
        ({"sources": [{"source": "api"}]}, None),
        ({"until": HOUR.isoformat()}, HOUR),  # a pod of an earlier version
    ],
)
async def test_a_switch_that_only_the_pod_knows_counts(world: World, reported: Document, end: object) -> None:
    await live(world)
    said = pause("quota")
    await world.streams(**(said | {"pause": said["pause"] | reported}))
    assert pause_end(Observation(now=NOW, job=world.job, pod=world.pod)) == end
    assert pause_end(Observation(now=NOW, job=world.job, pod=None)) is None  # the report is that of a former pod
