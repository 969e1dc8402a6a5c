"""The counts of replacements: equal to a recount after any changes, at a cost that does not grow with the jobs."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from sluice_contract.pod_replacement import PodReplacement
from sluice_contract.status import IngestJobStatus
from sluice_operator.domain.objects import Job, Key
from sluice_operator.domain.replacements import Replacements, Rollout, rollout_of
from sluice_operator.domain.rollout import ReplacementRequest

from .world import NOW, SYNTHETIC, job_of

KEYS: list[Key] = [(namespace, name) for namespace in ("acme", "beta") for name in ("a", "b", "c")]
ALL: Rollout = ("Operator", "")
OF_SPECS: list[Rollout] = [("Spec", "acme"), ("Spec", "beta")]


def record(cause: str = "Operator", before: str = "Streaming", age: int = 0) -> PodReplacement:
    return PodReplacement(started_at=NOW - timedelta(seconds=age), cause=cause, state_before=before)


def job(replacement: PodReplacement | None = None) -> Job:
    return msgspec.structs.replace(job_of(SYNTHETIC), status=IngestJobStatus(replacement=replacement))


RECORDS = st.builds(
    record,
    st.sampled_from(["Operator", "Spec", "Later"]),
    st.sampled_from(["Streaming", "Idle", "NotReady"]),
    st.integers(0, 9),
)
CHANGES = st.lists(st.tuples(st.sampled_from(KEYS), st.one_of(st.none(), st.just("absent"), RECORDS)))


@given(CHANGES)
def test_the_counts_are_those_of_a_recount(changes: list[tuple[Key, object]]) -> None:
    counts, known = Replacements(), dict[Key, PodReplacement | None]()
    for key, change in changes:
        if change is None:
            known.pop(key, None)
            counts.replace_job(key, None)
        else:
            known[key] = change if isinstance(change, PodReplacement) else None
            counts.replace_job(key, job(known[key]))
    for rollout in (ALL, *OF_SPECS):
        inside = [each for key, each in known.items() if each is not None and rollout_of(each.cause, key) == rollout]
        late = [
            each for each in inside if each.state_before != "NotReady" and each.started_at <= NOW - timedelta(seconds=5)
        ]
        found = counts.progress(rollout, NOW, 5.0)
        jobs = len(known) if rollout == ALL else len([key for key in known if key[0] == rollout[1]])
        assert (found.jobs, found.in_progress, found.overdue) == (jobs, len(inside), len(late))
        assert counts.count_interrupted(rollout) == len([each for each in inside if each.state_before == "Streaming"])
    assert set(counts.rollouts()) <= {rollout_of(each.cause, key) for key, each in known.items() if each is not None}


def test_a_decision_counts_before_its_write_has_returned_and_no_longer_if_the_write_fails() -> None:
    counts = Replacements()
    counts.replace_job(KEYS[0], job())
    counts.reserve(KEYS[0], record())
    counts.replace_job(KEYS[0], job())  # a heartbeat that comes before the write
    assert counts.progress(ALL, NOW, 5.0).in_progress == 1
    counts.release(KEYS[0], job())
    assert counts.progress(ALL, NOW, 5.0).in_progress == 0


def test_a_decision_counts_once_after_its_write() -> None:
    counts = Replacements()
    counts.reserve(KEYS[0], record())
    counts.replace_job(KEYS[0], job(record()))
    counts.release(KEYS[0], job(record()))
    assert counts.progress(ALL, NOW, 5.0).in_progress == 1


def test_the_idle_job_that_has_waited_longest_is_next_and_its_turn_comes_when_another_is_ready() -> None:
    counts = Replacements()
    counts.replace_job(KEYS[0], job(record()))
    counts.add_waiting(KEYS[1], ReplacementRequest("Operator", "Streaming"))
    counts.add_waiting(KEYS[2], ReplacementRequest("Operator", "Idle"))
    counts.add_waiting(KEYS[3], ReplacementRequest("Operator", "Idle"))
    assert (counts.count_waiting(ALL), counts.progress(ALL, NOW, 5.0).idle_first) == (3, True)
    assert counts.replace_job(KEYS[0], job()) == KEYS[2]
    counts.add_waiting(KEYS[2], ReplacementRequest("Operator", "Streaming"))  # its pause has ended
    assert counts.first_waiting(ALL) == KEYS[3]
    counts.remove_waiting(KEYS[3])
    assert counts.first_waiting(ALL) == KEYS[1]


def test_a_deleted_job_waits_no_more() -> None:
    counts = Replacements()
    counts.replace_job(KEYS[0], job())
    counts.add_waiting(KEYS[0], ReplacementRequest("Spec", "Streaming"))
    counts.replace_job(KEYS[0], None)
    assert (counts.first_waiting(("Spec", "acme")), list(counts.rollouts())) == (None, [])


def test_a_job_that_waits_for_another_cause_moves() -> None:
    counts = Replacements()
    counts.add_waiting(KEYS[0], ReplacementRequest("Operator", "Streaming"))
    counts.add_waiting(KEYS[0], ReplacementRequest("Spec", "Streaming"))
    assert (counts.first_waiting(ALL), counts.first_waiting(("Spec", "acme"))) == (None, KEYS[0])
