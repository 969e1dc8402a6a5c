"""Pods into which a webhook has injected containers: only Sluice's own container decides.

Also looked for: the order of the statuses, other containers that crash, cannot be pulled or are not ready, native
sidecars that still end, init containers that fail, a pod in phase Pending whose ingest container runs, and replays.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sluice_contract import conditions as c
from sluice_operator.domain import facts, objects

from .world import KEY, SYNTHETIC, World, condition, declared, found, live, pause

STARTED = {"running": {"startedAt": "2026-03-02T15:00:00Z"}}
EXITED = {"terminated": {"exitCode": 0, "reason": "Completed"}}
FAILED = {"terminated": {"exitCode": 1, "reason": "Error", "message": "no route"}}
PULLING = {"waiting": {"reason": "ImagePullBackOff", "message": "mesh: not found"}}
CRASHING = {"waiting": {"reason": "CrashLoopBackOff"}}
INITIALIZING = {"waiting": {"reason": "PodInitializing"}}


def status(ingest: dict[str, Any], *others: dict[str, Any], phase: str = "Running", **more: Any) -> dict[str, Any]:
    """Return the status of a pod whose injected containers come first, as some meshes place them."""
    injected = [{"name": f"mesh-{number}", "state": state} for number, state in enumerate(others)]
    return {"phase": phase, "containerStatuses": [*injected, {"name": "ingest", "state": ingest}], **more}


def pod_with(found_status: dict[str, Any]) -> objects.Pod:
    """Return a pod with this status."""
    metadata = {"name": "a-ingest", "namespace": "acme", "uid": "pod-1", "resourceVersion": "1"}
    return objects.decode_pod({"metadata": metadata, "status": found_status})


def message(world: World) -> str:
    """Return the message of condition Ready."""
    ready = found(world.job.status, c.READY)
    return ready.message if ready is not None else ""


@pytest.mark.parametrize("other", [STARTED, CRASHING, PULLING, FAILED])
async def test_an_exit_with_code_0_ends_the_pod_whatever_its_other_containers_do(
    world: World, other: dict[str, Any]
) -> None:
    await live(world)
    world.cluster.pod_is(KEY, **status(EXITED, other))
    await world.settle()
    restart = world.job.status.restart
    assert restart is not None
    assert (restart.count, world.pod.metadata.deletion_timestamp is not None) == (1, True)
    assert "keeps exiting" not in message(world)
    world.cluster.finish(KEY)
    await world.settle()
    assert world.ready == ("False", c.POD_RESTARTING)
    await world.advance(11)
    assert (world.ready, world.cluster.writes.count("create")) == (("False", c.POD_PENDING), 2)


async def test_an_exit_with_an_error_is_left_to_the_kubelet(world: World) -> None:
    await live(world)
    world.cluster.pod_is(KEY, **status(FAILED, STARTED))
    await world.settle()
    assert (world.ready, world.cluster.writes.count("delete")) == (("False", c.POD_CRASHING), 0)


@pytest.mark.parametrize("other", [CRASHING, FAILED, EXITED, PULLING])
@pytest.mark.parametrize("phase", ["Running", "Pending"])
async def test_another_container_that_does_not_run_changes_nothing(
    world: World, other: dict[str, Any], phase: str
) -> None:
    await live(world)
    world.cluster.pod_is(KEY, **status(STARTED, other, phase=phase))
    await world.settle()
    assert world.ready == ("True", c.STREAMING_REASON)
    assert condition(world.job.status, c.STREAMING) == ("True", c.STREAMING_REASON)


async def test_a_pause_is_not_confirmed_by_the_phase_pending_while_the_container_runs(world: World) -> None:
    await live(world)
    world.cluster.pod_is(KEY, **status(STARTED, PULLING, phase="Pending"))
    await declared(world, SYNTHETIC | {"enabled": False})
    assert (world.ready, condition(world.job.status, c.PAUSED)) == (("False", c.PAUSING), ("", ""))
    await world.streams(**pause())
    assert condition(world.job.status, c.PAUSED) == ("True", c.PAUSED_REASON)


async def test_a_pause_is_confirmed_once_the_container_has_exited_beside_others(world: World) -> None:
    await live(world)
    world.cluster.pod_is(KEY, **status(EXITED, STARTED))
    await declared(world, SYNTHETIC | {"enabled": False})
    assert condition(world.job.status, c.PAUSED) == ("True", c.NOTHING_CONNECTED)


@pytest.mark.parametrize(
    ("init", "words"),
    [
        ({"state": CRASHING, "lastState": FAILED}, "mesh-init keeps failing: exit code 1 Error no route"),
        ({"state": FAILED}, "mesh-init keeps failing: exit code 1 Error no route"),
        ({"state": PULLING}, "mesh-init: ImagePullBackOff: mesh: not found"),
    ],
)
async def test_an_init_container_that_prevents_the_start_is_named(
    world: World, init: dict[str, Any], words: str
) -> None:
    await declared(world)
    done = {"name": "other-init", "state": EXITED}
    failing = {"name": "mesh-init", **init}
    world.cluster.pod_is(KEY, **status(INITIALIZING, phase="Pending", initContainerStatuses=[done, failing]))
    await world.settle()
    assert (world.ready, message(world)) == (
        ("False", c.POD_UNSTARTABLE),
        f"The pod cannot start: init container {words}",
    )


@pytest.mark.parametrize("state", [STARTED, EXITED, INITIALIZING])
async def test_init_containers_that_make_progress_are_no_obstacle(world: World, state: dict[str, Any]) -> None:
    await declared(world)
    init = [{"name": "mesh-init", "state": state, "lastState": FAILED if state is STARTED else {}}]
    world.cluster.pod_is(KEY, **status(INITIALIZING, phase="Pending", initContainerStatuses=init))
    await world.settle()
    assert world.ready == ("False", c.POD_PENDING)


async def test_a_native_sidecar_that_crashes_later_changes_nothing(world: World) -> None:
    await live(world)
    sidecar = [{"name": "mesh", "state": CRASHING, "lastState": FAILED}]
    world.cluster.pod_is(KEY, **status(STARTED, initContainerStatuses=sidecar))
    await world.settle()
    assert world.ready == ("True", c.STREAMING_REASON)


async def test_the_pod_of_a_finished_replay_is_deleted_only_if_other_containers_still_run(world: World) -> None:
    replay = {"provider": "replay", "replay": {"tape": {"configMapRef": {"name": "tape"}}}}
    world.cluster.bound = True
    await declared(world, SYNTHETIC | replay)
    beat = world.said()["heartbeat"] | {"epoch": world.job.status.epoch}
    await world.streams(state="Finished", heartbeat=beat)
    world.cluster.pod_is(KEY, **status(EXITED, STARTED))
    await world.settle()
    assert (world.ready, world.pod.metadata.deletion_timestamp is not None) == (("True", c.REPLAY_FINISHED), True)
    world.cluster.finish(KEY)
    await world.settle()
    assert (world.ready, world.cluster.writes.count("create")) == (("True", c.REPLAY_FINISHED), 1)


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_no_container_runs_in_a_final_phase_even_if_its_last_status_says_so(phase: str) -> None:
    assert not facts.ingest_container_is_running(pod_with(status(STARTED, phase=phase)))


@pytest.mark.parametrize(
    ("policy", "state", "ended"),
    [
        ("OnFailure", EXITED, True),
        ("OnFailure", FAILED, False),
        ("Never", EXITED, True),
        ("Never", FAILED, True),
        ("Always", EXITED, False),
        ("Always", FAILED, False),
        ("Never", STARTED, False),
    ],
)
def test_a_webhook_may_have_set_another_restart_policy(policy: str, state: dict[str, Any], ended: bool) -> None:
    pod = msgspec.structs.replace(pod_with(status(state, STARTED)), spec=objects.PodSpec(restart_policy=policy))
    assert facts.pod_has_ended(pod) is ended


def test_out_of_memory_of_another_container_is_not_ours() -> None:
    killed = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    pod = pod_with(status(STARTED, killed))
    assert not facts.container_waits_for_restart(pod)
    assert "OOMKilled" not in facts.exit_description(pod)
