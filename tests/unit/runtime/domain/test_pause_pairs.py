"""The table of all pairs of switches: none overrides another, and each ends by its own means alone."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

import msgspec
import pytest

from sluice_contract.pause_sources import position_of_source
from sluice_runtime.domain.desired import Desired, desired_state
from sluice_runtime.domain.health import stream_status
from sluice_runtime.domain.pause import Switch
from sluice_runtime.domain.pause_objects import (
    KnownPauses,
    OutsideSwitches,
    PauseObject,
    PausesOfKind,
    pause_of_feed,
    pause_of_job,
)
from support.runtime_fakes import job
from support.snapshots import snapshot
from support.virtual_time import START

SOON, LATER = START + timedelta(minutes=5), START + timedelta(hours=1)


class Inputs:
    """What pauses a job. Each switch of the table changes one part."""

    def __init__(self) -> None:
        self.spec: dict[str, Any] = {}
        self.of_pod: list[Switch] = []
        self.of_cluster: list[PauseObject | None] = []
        self.of_namespace: list[PauseObject | None] = []

    def desired(self, now: datetime) -> Desired:
        declared = job(**self.spec)
        assert declared.spec is not None
        known = KnownPauses(
            of_cluster=PausesOfKind(pauses=tuple(each for each in self.of_cluster if each)),
            of_namespace=PausesOfKind(pauses=tuple(each for each in self.of_namespace if each)),
        )
        outside = OutsideSwitches(of_pod=tuple(self.of_pod), pauses=known)
        return desired_state(declared, declared.spec, now, outside)


def _of_pod(source: str, until: datetime | None = None) -> Callable[[Inputs], None]:
    return lambda inputs: inputs.of_pod.append(Switch(source=source, pauses=True, until=until))


def _of_spec(**fields: Any) -> Callable[[Inputs], None]:
    return lambda inputs: inputs.spec.update(fields)


def _of_cluster(inputs: Inputs) -> None:
    inputs.of_cluster.append(pause_of_feed("c", {"reason": "vendor", "until": LATER.isoformat()}, "synthetic", None))


def _of_namespace(inputs: Inputs) -> None:
    inputs.of_namespace.append(pause_of_job("n", {"reason": "bad prints", "jobs": ["us"], "by": "alice"}, "us"))


def _not_understood(inputs: Inputs) -> None:
    inputs.of_namespace.append(pause_of_job("u", {"reason": "?", "jobs": ["us"], "until": []}, "us"))


# By source: how to turn the switch on, and when it ends by itself.
STANDALONE: dict[str, tuple[Callable[[Inputs], None], datetime | None]] = {
    "spec.enabled": (_of_spec(enabled=False), None),
    "spec.pause": (_of_spec(pause={"reason": "vendor", "until": SOON.isoformat()}), SOON),
    "quota": (_of_pod("quota", LATER), LATER),
    "autoStop": (_of_pod("autoStop"), None),
    "api": (_of_pod("api"), None),
    "file:/enabled": (_of_pod("file:/enabled"), None),
    "env:INGEST_ENABLED": (_of_pod("env:INGEST_ENABLED"), None),
}
IN_CLUSTER = STANDALONE | {
    "unreadable": (_not_understood, None),
    "clusterpause:c": (_of_cluster, LATER),
    "pause:n": (_of_namespace, None),
}


@pytest.mark.parametrize(("first", "second"), list(combinations(IN_CLUSTER, 2)))
def test_two_switches_pause_the_job_together_and_each_of_them_alone(first: str, second: str) -> None:
    both = Inputs()
    for source in (second, first):
        IN_CLUSTER[source][0](both)
    found = both.desired(START)
    assert found.pause is not None
    expected = sorted((first, second), key=position_of_source)
    assert list(found.switches) == expected
    ends = [IN_CLUSTER[source][1] for source in (first, second)]
    assert found.pause.ends_at == (None if None in ends else max(end for end in ends if end is not None))
    status = stream_status(snapshot("Paused", desired=found)).pause
    assert status is not None
    assert (status.source, [each.source for each in status.sources]) == (expected[0], expected)
    for left in (first, second):
        alone = Inputs()
        IN_CLUSTER[left][0](alone)
        assert alone.desired(START).switches == (left,)
        assert (alone.desired(LATER).pause is None) is (IN_CLUSTER[left][1] is not None)


def test_a_job_that_nothing_pauses_has_no_source() -> None:
    status = stream_status(snapshot(desired=Inputs().desired(START)))
    assert (status.pause, status.ingest_enabled, status.ingest_enabled_source) == (None, True, None)
    assert "ingestEnabledSource" not in msgspec.to_builtins(status)
