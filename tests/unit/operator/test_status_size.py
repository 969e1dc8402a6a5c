"""The size of the whole status: the pod's part, and the operator's conditions that repeat its texts."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sluice_contract.status import StreamFailure, StreamStatus
from sluice_contract.status_size import STATUS_BYTES, fit_stream_status
from sluice_runtime.domain.health import stream_status
from support.snapshots import LONG, largest_snapshot

from .policies import policy
from .test_conditions import ALPACA, after
from .test_policy_denied import set_policies
from .world import NOW, World

LARGEST_REPORT = stream_status(largest_snapshot())
WITHOUT_REJECTIONS = msgspec.structs.replace(LARGEST_REPORT.symbols, rejections=[])
WELL = msgspec.structs.replace(LARGEST_REPORT.sink, healthy=True, message=None)
OWN_FIELDS = ("podUID", "observedGeneration", "stopsGeneration", "heartbeat")


def report(state: str, **changes: Any) -> StreamStatus:
    pause = LARGEST_REPORT.pause if state == "Paused" else None
    return msgspec.structs.replace(LARGEST_REPORT, state=state, pause=pause, **changes)


def failure(kind: str, message: str) -> StreamFailure:
    return StreamFailure(type=kind, message=message, at=NOW)


@pytest.mark.parametrize("state", ["Live", "Blocked", "BackingOff", "Paused"])
@pytest.mark.parametrize(
    "changes",
    [
        {"failure": failure("auth", LONG)},
        {"failure": failure("network", LONG)},
        {"failure": failure("auth", "m" * 1000), "symbols": WITHOUT_REJECTIONS},
        {"failure": None},
        {"failure": None, "sink": WELL},
    ],
    ids=["auth", "network", "few lists", "sink", "no failure"],
)
async def test_the_whole_status_of_2000_symbols_has_at_most_10_kb(
    world: World, state: str, changes: dict[str, Any]
) -> None:
    stream = msgspec.to_builtins(fit_stream_status(report(state, **changes)), builtin_types=())
    await after(world, ALPACA, **{name: value for name, value in stream.items() if name not in OWN_FIELDS})
    status = world.job.status
    assert status.stream is not None
    assert status.stream.state == state
    assert len(status.stream.symbols.stale_symbols) == 20
    assert len(msgspec.json.encode(status)) <= STATUS_BYTES


@pytest.mark.parametrize("state", ["Live", "Blocked", "Paused"])
async def test_the_whole_status_of_a_denied_job_has_at_most_10_kb(world: World, state: str) -> None:
    world.cluster.bound = True  # so that the pod stays until the end of its grace period
    set_policies(world)
    names = [f"{number}{'n' * 62}" for number in range(9)]
    report_of_denial = report(state, failure=failure("policyDenied", "m" * 512))
    stream = msgspec.to_builtins(fit_stream_status(report_of_denial), builtin_types=())
    await after(world, ALPACA, **{name: value for name, value in stream.items() if name not in OWN_FIELDS})
    set_policies(world, *(policy(name, providers=[], message=f"{name[0]}{'m' * 255}") for name in names))
    await world.settle()
    status = world.job.status
    assert status.policy is not None
    assert status.policy.denied is not None
    assert len(status.policy.names) >= 4
    assert status.policy.denied.startswith("IngestPolicy 0nn")
    assert len(msgspec.json.encode(status)) <= STATUS_BYTES
