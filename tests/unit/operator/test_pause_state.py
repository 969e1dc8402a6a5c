"""Which jobs a pause covers, which of them a change adds to the work queue, and how the counts follow."""

from __future__ import annotations

import time

import msgspec

from sluice_operator.domain import objects
from sluice_operator.domain.objects import Job, Key
from sluice_operator.domain.pause_objects import PauseKey
from sluice_operator.pause_state import PauseState

from .fakes import Document
from .pause_fakes import pause_object
from .world import SYNTHETIC

PAUSE: PauseKey = ("acme", "p")
FLEET: PauseKey = ("", "fleet")


def job(name: str, namespace: str = "acme", generation: int = 1, **labels: str) -> Job:
    metadata = {"namespace": namespace, "name": name, "uid": f"uid-{name}", "generation": generation, "labels": labels}
    return objects.decode_job({"metadata": metadata, "spec": SYNTHETIC})


class Rig:
    """The state of pauses, and what it reported as changed."""

    def __init__(self) -> None:
        self.jobs: list[Key] = []
        self.pauses: list[PauseKey] = []
        self.state = PauseState(self.jobs.append, self.pauses.append)
        self.version = 1

    def declare(self, key: PauseKey, spec: Document, generation: int = 1) -> set[Key]:
        """Create or change a pause. Return the jobs that this adds to the work queue."""
        self.jobs.clear()
        self.version += 1
        pause = pause_object(key, spec, generation)
        metadata = msgspec.structs.replace(pause.metadata, resource_version=str(self.version))
        self.state.cache_of(key).put_delivered(key, msgspec.structs.replace(pause, metadata=metadata))
        return set(self.jobs)

    def remove(self, key: PauseKey) -> set[Key]:
        """Delete a pause. Return the jobs that this adds to the work queue."""
        self.jobs.clear()
        self.state.cache_of(key).remove_delivered(key, f"uid-{key[1]}", 10**9)
        return set(self.jobs)

    def add(self, *jobs: Job) -> None:
        """Add or change jobs."""
        for each in jobs:
            self.state.update_job(each.key, each)

    def sources(self, key: Key) -> list[str]:
        """Return the sources of the pauses that cover a job."""
        return [each.source for each in self.state.pauses_of_job(key)]


def test_a_change_adds_exactly_the_jobs_that_were_or_are_covered() -> None:
    rig = Rig()
    rig.add(job("a"), job("b"), job("c"), job("a", "beta"))
    assert rig.declare(PAUSE, {"jobs": ["a"]}) == {("acme", "a")}
    assert rig.declare(PAUSE, {"jobs": ["b"]}, generation=2) == {("acme", "a"), ("acme", "b")}
    assert rig.declare(PAUSE, {"jobs": ["b"]}, generation=2) == set()  # only its status has changed
    assert rig.declare(FLEET, {}) == {("acme", "a"), ("acme", "b"), ("acme", "c"), ("beta", "a")}
    assert rig.sources(("acme", "b")) == ["clusterpause:fleet", "pause:p"]
    assert rig.remove(PAUSE) == {("acme", "b")}
    assert rig.sources(("acme", "b")) == ["clusterpause:fleet"]
    assert rig.remove(FLEET) == {("acme", "a"), ("acme", "b"), ("acme", "c"), ("beta", "a")}
    assert rig.sources(("acme", "b")) == []
    assert len(rig.state) == 0


def test_a_job_follows_its_labels_and_its_spec() -> None:
    rig = Rig()
    rig.declare(PAUSE, {"jobSelector": {"matchLabels": {"desk": "us"}}})
    rig.declare(FLEET, {"providers": [{"name": "ibkr"}]})
    rig.add(job("a"))
    assert rig.sources(("acme", "a")) == []
    rig.add(job("a", desk="us"))
    assert rig.sources(("acme", "a")) == ["pause:p"]
    rig.add(job("a"))
    assert rig.sources(("acme", "a")) == []
    rig.state.update_job(("acme", "a"), None)
    assert rig.state.jobs_of_pause(PAUSE).covered == set()


def test_a_pause_of_a_job_that_is_created_later_covers_it() -> None:
    rig = Rig()
    rig.declare(PAUSE, {"jobs": ["later"]})
    rig.add(job("later"))
    assert rig.sources(("acme", "later")) == ["pause:p"]
    assert rig.state.jobs_of_pause(PAUSE).unassessed == {("acme", "later")}


def test_the_counts_follow_the_assessments_and_only_changes_are_reported() -> None:
    rig = Rig()
    rig.add(job("a"), job("b"), job("c"))
    rig.declare(PAUSE, {"jobSelector": {}})
    jobs = rig.state.jobs_of_pause(PAUSE)
    assert (jobs.selected_count, len(jobs.unassessed)) == (3, 3)
    rig.state.record_assessment(("acme", "a"), {PAUSE: False})
    rig.state.record_assessment(("acme", "b"), {PAUSE: None})
    rig.state.record_assessment(("acme", "c"), {PAUSE: True})
    assert (jobs.selected_count, jobs.acknowledged_count, jobs.waiting) == (2, 1, {("acme", "a")})
    rig.pauses.clear()
    rig.state.record_assessment(("acme", "a"), {PAUSE: False, ("acme", "unknown"): True})
    assert rig.pauses == []
    rig.state.record_assessment(("acme", "a"), {PAUSE: True})
    assert rig.pauses == [PAUSE]
    assert jobs.acknowledged_count == jobs.selected_count == 2


def test_a_changed_pause_is_assessed_again() -> None:
    rig = Rig()
    rig.add(job("a"))
    rig.declare(PAUSE, {"jobSelector": {}})
    rig.state.record_assessment(("acme", "a"), {PAUSE: True})
    rig.declare(PAUSE, {"jobSelector": {}, "symbols": ["AAPL"]}, generation=2)
    assert rig.state.jobs_of_pause(PAUSE).unassessed == {("acme", "a")}


def test_a_change_of_one_of_50_pauses_over_1000_jobs_takes_less_than_20_milliseconds() -> None:
    rig = Rig()
    rig.add(*(job(f"job-{number}", f"tenant-{number % 20}") for number in range(1000)))
    for number in range(50):
        rig.declare(("", f"fleet-{number}"), {})
    seconds = []
    for generation in range(2, 7):
        before = time.process_time()
        assert len(rig.declare(("", "fleet-7"), {}, generation)) == 1000
        seconds.append(time.process_time() - before)
    assert min(seconds) < 0.02
