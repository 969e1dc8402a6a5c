"""The size of the whole status: the pod's part, and the operator's conditions that repeat its texts."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sluice_contract.status import StreamFailure, StreamStatus
from sluice_contract.status_size import STATUS_BYTES, fit_stream_status
from sluice_runtime.domain.health import stream_status
from support.snapshots import LONG, largest_snapshot

from .test_conditions import ALPACA, after
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
