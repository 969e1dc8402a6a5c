"""Each hot field has an effect in a running standalone runtime, and no cold field has one."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sluice_contract.status import StreamStatus
from sluice_runtime.adapters.pause_file import PauseFile
from sluice_runtime.adapters.standalone_job import StandaloneJob
from sluice_runtime.app import RuntimeParts, run_loops_and_shut_down
from sluice_runtime.domain.backoff import Backoff
from support.fake_sink import FakeSink
from support.runtime_fakes import FakeSource, quote, runtime_state, stored_job
from support.schema_values import Path as Place
from support.spec_changes import EVERY_FIELD, is_hot, spec_places
from support.virtual_time import START, VirtualTimeLoop, at

Spec = dict[str, Any]
Trace = dict[str, list[Any]]

NAMES = [f"S{number}" for number in range(8)]
OTHER_PROVIDERS = ("alpaca", "ibkr", "replay")
BASE: Spec = {name: value for name, value in EVERY_FIELD.items() if name not in OTHER_PROVIDERS} | {
    "provider": "synthetic",
    "symbols": NAMES,
    "pause": None,
    "pausedSymbols": [],
    "autoStop": None,
    "limits": {"minIntervalMilliseconds": 500, "writesPerSecond": 4, "burst": 3, "flushIntervalMilliseconds": 200},
}
BEAT = BASE["heartbeat"]
FIXED = ("tenant", "provider")  # a document in which one of these differs is not applied at all
COLD: Spec = {
    "synthetic": {"seed": 8},
    "heartbeat": BEAT | {"document": "third_ingest"},
    "firestore": {"liveQuotesCollection": "other"},
    "http": None,
    "pod": None,
}
CHANGE_SECONDS = 2.0  # when the document changes
END_SECONDS = 60
SOON, LATER = (f"{START + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}" for seconds in (8, 16))
ENTRY = {"symbol": "S1", "reason": "bad prints", "until": SOON}

# Two values of each hot place, named by the field of the spec; the second one has another effect than the first.
CHANGES: dict[Place, tuple[Spec, Spec]] = {
    ("symbols",): ({"symbols": NAMES}, {"symbols": NAMES[:-1]}),
    ("symbols", 0): ({"symbols": ["S0", *NAMES[1:]]}, {"symbols": ["OTHER", *NAMES[1:]]}),
    ("channels",): ({"channels": ["quotes"]}, {"channels": ["quotes", "bars"]}),
    ("channels", 0): ({"channels": ["bars", "quotes"]}, {"channels": ["trades", "quotes"]}),
    ("sessions",): ({"sessions": ["regular"]}, {"sessions": None}),
    ("sessions", 0): ({"sessions": ["regular"]}, {"sessions": ["overnight"]}),
    ("enabled",): ({"enabled": True}, {"enabled": False}),
    ("pause",): ({"pause": None}, {"pause": {}}),
    ("pause", "reason"): ({"pause": {"reason": "a"}}, {"pause": {"reason": "b"}}),
    ("pause", "until"): ({"pause": {"until": SOON}}, {"pause": {"until": LATER}}),
    ("pausedSymbols",): ({"pausedSymbols": []}, {"pausedSymbols": [ENTRY]}),
    ("pausedSymbols", 0, "symbol"): ({"pausedSymbols": [ENTRY]}, {"pausedSymbols": [ENTRY | {"symbol": "S2"}]}),
    ("pausedSymbols", 0, "reason"): ({"pausedSymbols": [ENTRY]}, {"pausedSymbols": [ENTRY | {"reason": "incident"}]}),
    ("pausedSymbols", 0, "until"): ({"pausedSymbols": [ENTRY]}, {"pausedSymbols": [ENTRY | {"until": LATER}]}),
    ("dryRun",): ({"dryRun": False}, {"dryRun": True}),
    ("limits",): ({"limits": BASE["limits"]}, {"limits": {}}),
    ("heartbeat", "intervalSeconds"): (
        {"heartbeat": BEAT | {"intervalSeconds": 12}},
        {"heartbeat": BEAT | {"intervalSeconds": 5}},
    ),
    ("autoStop",): ({"autoStop": None}, {"autoStop": {"afterSeconds": 10}}),
    ("autoStop", "afterSeconds"): ({"autoStop": {"afterSeconds": 10}}, {"autoStop": {"afterSeconds": 20}}),
    ("autoStop", "afterConsecutiveErrors"): (
        {"autoStop": {"afterConsecutiveErrors": 3}},
        {"autoStop": {"afterConsecutiveErrors": 2}},
    ),
    **{
        ("limits", name): ({"limits": BASE["limits"]}, {"limits": BASE["limits"] | {name: value}})
        for name, value in {
            "minIntervalMilliseconds": 5000,
            "writesPerSecond": 8,
            "burst": 6,
            "flushIntervalMilliseconds": 900,
            "maxSpreadPercent": 1,
            "writesPerDay": 30_000,
        }.items()
    },
}


class TracedJob(StandaloneJob):
    """A standalone job that keeps the statuses that a pod would report, without the generation."""

    statuses: list[Any]

    async def report_status(self, status: StreamStatus) -> None:
        document = msgspec.to_builtins(status)
        self.statuses.append({name: part for name, part in document.items() if "eneration" not in name})


async def _trace(directory: Path, before: Spec, after: Spec) -> Trace:
    """Run a runtime whose document changes, and return all that others can see of it."""
    documents = [stored_job(**before), stored_job(**after)]
    state, sink, source = runtime_state(), FakeSink(), FakeSource()
    job = TracedJob(lambda: documents[0], PauseFile(directory), state.switches)
    job.statuses = []
    stop = asyncio.Event()
    parts = RuntimeParts(source=source, sink=sink, job=job, runtime=state)
    running = asyncio.create_task(run_loops_and_shut_down(parts, stop, Backoff(1.0, 60.0, lambda _, high: high)))
    await at(CHANGE_SECONDS - 0.5)
    del documents[0]
    for step in range(END_SECONDS):
        await at(CHANGE_SECONDS + step)
        if step in (30, 34, 38) and source.open:
            source.connection.lose()
        elif source.open and step < 25:
            source.connection.say(*(quote(name, bid=95.0 + step / 100) for name in NAMES))
    stop.set()
    await running
    return {
        "quotes": sink.writes,
        "heartbeats": sink.beats,
        "records": sink.recorded,
        "statuses": job.statuses,
        "connections": [source.attempts, source.closings],
        "subscriptions": [(each.followed, each.channels) for each in source.connections],
    }


def trace(directory: Path, after: Spec) -> Trace:
    """Return the trace of a runtime that starts with BASE and one more symbol, and whose document becomes `after`.

    The removed symbol makes the document change in any case, so that a new generation is no effect of the field.
    """
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualTimeLoop)
        loop.lateness = lambda: 0.001  # a timer that fires too early by a rounding error would fire again at once
        return runner.run(_trace(directory, BASE | {"symbols": [*NAMES, "START"]}, after))


def differences(one: Trace, other: Trace) -> list[str]:
    """Return the names of what differs."""
    return [name for name in one if one[name] != other[name]]


def test_every_hot_place_is_tried() -> None:
    assert CHANGES.keys() == {place for place, _ in spec_places() if is_hot(place)}


@pytest.mark.parametrize("place", CHANGES, ids=lambda place: ".".join(map(str, place)))
def test_each_hot_field_has_an_effect_in_the_running_runtime(tmp_path: Path, place: Place) -> None:
    one, other = (BASE | change for change in CHANGES[place])
    assert differences(trace(tmp_path, one), trace(tmp_path, other)) != []


def test_cold_fields_have_no_effect_in_the_running_runtime_and_a_hot_field_beside_them_has(tmp_path: Path) -> None:
    assert COLD.keys() == {place[0] for place, _ in spec_places() if not is_hot(place)} - {*OTHER_PROVIDERS, *FIXED}
    assert differences(trace(tmp_path, BASE | COLD), trace(tmp_path, BASE)) == []
    dry_run = {"dryRun": True}
    assert differences(trace(tmp_path, BASE | COLD | dry_run), trace(tmp_path, BASE | dry_run)) == []
