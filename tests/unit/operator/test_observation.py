"""The report of the current pod, which an observation keeps."""

from __future__ import annotations

import msgspec

from sluice_operator.domain.observation import Observation

from .world import NOW, World, live


async def test_a_changed_observation_has_the_report_of_its_own_pod(world: World) -> None:
    await live(world)
    observation = Observation(now=NOW, job=world.job, pod=world.pod)
    assert observation.report_of_current_pod == world.job.status.stream
    other = msgspec.structs.replace(world.pod.metadata, uid="another")
    changed = msgspec.structs.replace(observation, pod=msgspec.structs.replace(world.pod, metadata=other))
    assert changed.report_of_current_pod is None
    assert msgspec.structs.replace(observation, job=None).report_of_current_pod is None


async def test_the_kept_report_does_not_change_what_an_observation_equals(world: World) -> None:
    await live(world)
    first, second = (Observation(now=NOW, job=world.job, pod=world.pod) for _ in range(2))
    assert first.report_of_current_pod is not None
    assert first == second
