"""Each condition, from the reports of a pod and the state of the cluster."""

from __future__ import annotations

from typing import Any

import pytest

from sluice_contract import conditions as c

from .world import KEY, NOW, SYNTHETIC, World, condition, found, pause

ALPACA = SYNTHETIC | {"provider": "alpaca", "alpaca": {"credentialsSecretRef": {"name": "alpaca"}}}


async def after(world: World, spec: dict[str, Any], **stream: Any) -> World:
    """Return the world after a running pod of this job has reported."""
    world.cluster.declare(KEY, spec)
    await world.settle()
    await world.streams(**stream)
    return world


def failing(kind: str, state: str = "Blocked") -> dict[str, Any]:
    """Return a pod's report of a failure."""
    return {"state": state, "failure": {"type": kind, "message": f"because of {kind}", "at": NOW.isoformat()}}


@pytest.mark.parametrize(
    ("failure", "reason"), [("auth", c.REFUSED), ("entitlement", c.NOT_ENTITLED), ("configuration", c.MISSING)]
)
async def test_rejected_credentials_block_the_job_with_a_reason(world: World, failure: str, reason: str) -> None:
    await after(world, ALPACA, **failing(failure))
    assert condition(world.job.status, c.CREDENTIALS_VALID) == ("False", reason)
    assert condition(world.job.status, c.STALLED) == ("True", reason)
    assert (world.ready, world.job.status.phase) == (("False", reason), "Blocked")
    ready = found(world.job.status, c.READY)
    assert ready is not None
    assert ready.message == f"because of {failure}"


async def test_an_untrusted_certificate_leaves_the_credentials_unknown(world: World) -> None:
    await after(world, ALPACA, **failing("certificate"))
    assert condition(world.job.status, c.CREDENTIALS_VALID) == ("Unknown", c.NOT_CHECKED)
    assert condition(world.job.status, c.STALLED) == ("True", c.CERTIFICATE_NOT_TRUSTED)
    assert (world.ready, world.job.status.phase) == (("False", c.CERTIFICATE_NOT_TRUSTED), "Blocked")


async def test_a_refused_new_pair_is_named_while_the_job_streams_with_the_previous_one(world: World) -> None:
    await after(world, ALPACA, credentialsGeneration=1)
    assert condition(world.job.status, c.CREDENTIALS_VALID) == ("True", c.ACCEPTED)
    await world.streams(credentialsGeneration=1, credentialsProblem="Alpaca refuses the new key pair. Correct it.")
    assert condition(world.job.status, c.CREDENTIALS_VALID) == ("False", c.NEW_REFUSED)
    valid = found(world.job.status, c.CREDENTIALS_VALID)
    assert valid is not None
    assert valid.message == "Alpaca refuses the new key pair. Correct it."
    assert (world.ready, world.job.status.phase) == (("True", c.STREAMING_REASON), "Running")
    await world.streams(state="Connecting", credentialsGeneration=1)
    assert condition(world.job.status, c.CREDENTIALS_VALID) == ("True", c.ACCEPTED)


async def test_a_failed_login_of_every_pair_outweighs_a_refused_new_pair(world: World) -> None:
    await after(world, ALPACA, credentialsGeneration=1, credentialsProblem="refused", **failing("auth"))
    assert condition(world.job.status, c.CREDENTIALS_VALID) == ("False", c.REFUSED)


async def test_accepted_credentials_stay_accepted_while_the_pod_reconnects(world: World) -> None:
    await after(world, ALPACA)
    await world.streams(**failing("network", "BackingOff"))
    assert condition(world.job.status, c.CREDENTIALS_VALID) == ("True", c.ACCEPTED)
    assert (world.ready, world.job.status.phase) == (("False", c.BACKING_OFF), "Degraded")


async def test_credentials_are_unknown_until_they_were_tried(world: World) -> None:
    await after(world, ALPACA, state="Connecting")
    assert condition(world.job.status, c.CREDENTIALS_VALID) == ("Unknown", c.NOT_CHECKED)


@pytest.mark.parametrize("spec", [SYNTHETIC, SYNTHETIC | {"provider": "alpaca", "dryRun": True}])
async def test_providers_without_credentials_need_none(world: World, spec: dict[str, Any]) -> None:
    await after(world, spec)
    assert condition(world.job.status, c.CREDENTIALS_VALID) == ("True", c.NOT_NEEDED)


async def test_failing_writes_make_the_job_not_ready(world: World) -> None:
    await after(world, SYNTHETIC, sink={"healthy": False, "message": "PERMISSION_DENIED: grant the pod a role."})
    assert world.ready == ("False", c.SINK_UNHEALTHY)
    assert condition(world.job.status, c.SINK_HEALTHY) == ("False", c.WRITES_FAILING)
    assert condition(world.job.status, c.STREAMING) == ("True", c.STREAMING_REASON)


async def test_some_rejected_symbols_leave_the_job_ready_and_degraded(world: World) -> None:
    symbols = {"live": "1/2", "desired": 2, "confirmed": 1, "pending": 0, "paused": 0, "rejected": 1}
    await after(world, SYNTHETIC, symbols=symbols)
    assert (world.ready, world.job.status.phase) == (("True", c.SYMBOLS_REJECTED), "Degraded")


async def test_pauses_of_single_symbols_are_in_a_condition(world: World) -> None:
    symbols = {"live": "1/1", "desired": 1, "confirmed": 1, "pending": 0, "paused": 1, "rejected": 0}
    await after(world, SYNTHETIC, symbols=symbols | {"unknownPausedSymbols": ["NOTIN"]})
    words = "1/1 symbols, 1 paused; spec.symbols does not contain NOTIN, listed in spec.pausedSymbols."
    conditions = [found(world.job.status, kind) for kind in (c.READY, c.STREAMING)]
    assert [each.message for each in conditions if each is not None] == [words, words]


@pytest.mark.parametrize("names", [["SPY"], [1, None, "SPY"], "SPY", {"SPY": "stale"}, None])
async def test_names_of_symbols_that_another_version_reports_change_no_condition(world: World, names: object) -> None:
    symbols = {"live": "1/1", "desired": 1, "confirmed": 1, "pending": 0, "paused": 0, "rejected": 0}
    kinds = ("staleSymbols", "haltedSymbols", "pausedSymbols", "unheardSymbols", "neverTickedSymbols")
    lists = dict.fromkeys(kinds, names)
    await after(world, SYNTHETIC, symbols=symbols | lists)
    assert (world.ready, world.job.status.phase) == (("True", c.STREAMING_REASON), "Running")


async def test_applying_a_spec_is_not_an_event(world: World) -> None:
    await after(world, SYNTHETIC)
    world.cluster.declare(KEY, SYNTHETIC | {"dryRun": True})
    await world.settle()
    assert world.ready == ("False", c.APPLYING_SPEC)
    assert c.APPLYING_SPEC not in world.recorder.reasons


async def test_an_impaired_live_stream_leaves_the_job_ready_and_degraded(world: World) -> None:
    await after(world, SYNTHETIC, **failing("network", "Live"))
    assert (world.ready, world.job.status.phase) == (("True", c.PROVIDER_DEGRADED), "Degraded")
    ready = found(world.job.status, c.READY)
    assert ready is not None
    assert "because of network" in ready.message
    assert condition(world.job.status, c.STREAMING)[0] == "True"


async def test_a_job_with_only_rejected_symbols_is_not_ready(world: World) -> None:
    symbols = {"live": "0/2", "desired": 2, "confirmed": 0, "pending": 0, "paused": 0, "rejected": 2}
    await after(world, SYNTHETIC, symbols=symbols)
    assert world.ready[0] == "False"


async def test_symbols_that_are_not_confirmed_yet_are_connecting(world: World) -> None:
    symbols = {"live": "1/2", "desired": 2, "confirmed": 1, "pending": 1, "paused": 0, "rejected": 0}
    await after(world, SYNTHETIC, symbols=symbols)
    await world.advance(6)
    assert world.ready == condition(world.job.status, c.STREAMING) == ("False", c.CONNECTING)


async def test_the_report_of_another_pod_is_ignored(world: World) -> None:
    await after(world, SYNTHETIC, podUID="another")
    await world.advance(6)
    assert world.ready == ("False", c.POD_STARTING)


@pytest.mark.parametrize("source", ["env:INGEST_ENABLED", "file:/etc/ingest", "api"])
async def test_a_pause_by_another_switch_is_a_pause(world: World, source: str) -> None:
    await after(world, SYNTHETIC, **pause(source))
    assert world.ready == condition(world.job.status, c.PAUSED) == ("True", c.PAUSED_REASON)
    assert world.job.status.phase == "Paused"


async def test_a_pod_that_has_not_read_its_job_is_starting_not_paused(world: World) -> None:
    await after(world, SYNTHETIC, **pause("start"))
    await world.advance(6)
    assert (world.ready, condition(world.job.status, c.PAUSED)) == (("False", c.CONNECTING), ("", ""))


@pytest.mark.parametrize(
    "status",
    [
        {"phase": "Pending"},
        {
            "phase": "Running",
            "containerStatuses": [{"name": "ingest", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}],
        },
    ],
)
async def test_a_job_to_be_paused_whose_pod_does_not_run_is_paused(world: World, status: dict[str, Any]) -> None:
    world.cluster.declare(KEY, SYNTHETIC | {"enabled": False})
    await world.settle()
    world.cluster.pod_is(KEY, **status)
    await world.settle()
    assert condition(world.job.status, c.PAUSED) == ("True", c.NOTHING_CONNECTED)
    assert (world.ready, condition(world.job.status, c.RECONCILING)) == (("True", c.PAUSED_REASON), ("", ""))


async def test_a_terminating_pod_that_runs_may_be_connected_so_its_job_is_not_paused(world: World) -> None:
    world.cluster.bound = True
    await after(world, SYNTHETIC)
    await world.cluster.delete_pod(KEY, world.pod.metadata.uid, world.pod.metadata.resource_version)
    world.cluster.declare(KEY, SYNTHETIC | {"enabled": False})
    await world.settle()
    assert (world.ready[0], condition(world.job.status, c.PAUSED)) == ("False", ("", ""))


async def test_a_confirmed_pause_that_falls_silent_is_not_ready(world: World) -> None:
    await after(world, SYNTHETIC | {"enabled": False}, **pause())
    await world.advance(91)
    assert world.ready == ("False", c.HEARTBEAT_STALE)
    assert condition(world.job.status, c.PAUSED) == ("True", c.PAUSED_REASON)


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        (
            {"containerStatuses": [{"name": "ingest", "state": {"waiting": {"reason": "ImagePullBackOff"}}}]},
            c.POD_UNSTARTABLE,
            "ImagePullBackOff",
        ),
        (
            {
                "conditions": [
                    {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no node"}
                ]
            },
            c.POD_UNSTARTABLE,
            "no node",
        ),
        (
            {"containerStatuses": [{"name": "ingest", "state": {"terminated": {"exitCode": 3}}}]},
            c.POD_CRASHING,
            "exit code 3",
        ),
    ],
)
async def test_the_reason_why_a_pod_does_not_run_is_named(
    world: World, status: dict[str, Any], reason: str, words: str
) -> None:
    world.cluster.declare(KEY, SYNTHETIC)
    await world.settle()
    world.cluster.pod_is(KEY, phase="Pending", **status)
    await world.settle()
    ready = found(world.job.status, c.READY)
    assert ready is not None
    assert (ready.reason, words in ready.message) == (reason, True)


async def test_a_condition_keeps_its_time_until_its_status_changes(world: World) -> None:
    await after(world, SYNTHETIC)
    world.seconds = 30
    await world.streams(state="BackingOff")
    flipped = found(world.job.status, c.READY)
    world.seconds = 60
    await world.streams(state="Connecting")
    later = found(world.job.status, c.READY)
    assert flipped is not None
    assert later is not None
    assert (later.reason, later.last_transition_time) == (c.CONNECTING, flipped.last_transition_time)
    assert (flipped.last_transition_time - NOW).total_seconds() == 30


async def test_a_job_that_waits_for_a_connection_slot_names_its_holder(world: World) -> None:
    await after(world, ALPACA, state="Connecting", slot={"acquired": False, "holder": "other"})
    assert condition(world.job.status, c.CONNECTION_SLOT_ACQUIRED) == ("False", c.HELD_BY)
    [message] = [each.message for each in world.job.status.conditions if each.type == c.CONNECTION_SLOT_ACQUIRED]
    assert message.startswith("Job other of this namespace")
    assert world.ready == ("False", c.HELD_BY)
    ready = found(world.job.status, c.READY)
    assert ready is not None
    assert ready.message == message


@pytest.mark.parametrize(
    ("stream", "ready"),
    [
        (failing("connectionLimit", "BackingOff"), ("False", c.HELD_BY)),
        (failing("auth"), ("False", c.REFUSED)),
        ({"state": "Live"}, ("True", c.STREAMING_REASON)),
    ],
)
async def test_a_held_slot_is_the_reason_unless_the_job_streams_or_a_person_has_to_act(
    world: World, stream: dict[str, Any], ready: tuple[str, str]
) -> None:
    await after(world, ALPACA, slot={"acquired": False, "holder": "other"}, **stream)
    assert world.ready == ready


async def test_the_slot_is_a_condition_only_if_the_job_needs_it(world: World) -> None:
    await after(world, ALPACA, slot={"acquired": True, "holder": "us"})
    assert condition(world.job.status, c.CONNECTION_SLOT_ACQUIRED) == ("True", c.SLOT_ACQUIRED)
    await world.streams()
    assert c.CONNECTION_SLOT_ACQUIRED not in [each.type for each in world.job.status.conditions]


async def test_duplicate_symbols_are_named_by_the_ready_condition_and_used_once(world: World) -> None:
    await after(world, SYNTHETIC | {"symbols": ["SPY", "AAPL", "SPY"]})
    ready = found(world.job.status, c.READY)
    assert ready is not None
    assert ready.status == "True"
    assert ready.message.endswith(
        "spec.symbols contains SPY more than once; it is used once. Remove the duplicates from spec.symbols."
    )
    assert world.job.spec is not None
    assert world.job.spec.symbols == ["SPY", "AAPL"]
