"""The status of policies is written when it has changed, and a failure delays nothing else."""

from __future__ import annotations

import msgspec

from sluice_contract.policies import IngestPolicyStatus
from sluice_operator.domain.policy_objects import PolicyObject, TenantNamespace
from sluice_operator.policy_state import PolicyState
from sluice_operator.policy_status_writer import PolicyStatusWriter
from sluice_operator.ports import ClusterError, NotFound, RequestRefused

from .policies import job, policy
from .world import NOW


class FakeStatuses:
    """A `PolicyStatuses` that stores what it is given, unless it refuses the policy with this name."""

    def __init__(self) -> None:
        self.writes: list[str] = []
        self.refused: dict[str, ClusterError] = {}

    async def write_policy_status(self, stored: PolicyObject, status: IngestPolicyStatus) -> PolicyObject:
        name = stored.metadata.name
        if name in self.refused:
            raise self.refused[name]
        self.writes.append(name)
        return msgspec.structs.replace(stored, status=status)


def known(*names: str) -> PolicyState:
    """Return a state with these policies, and a job in the only namespace."""
    state = PolicyState(lambda _: None)
    state.replace_all([PolicyObject(metadata=policy(name).metadata, policy=policy(name)) for name in names])
    state.namespaces.replace_all([TenantNamespace("acme", {})])
    state.put_job(job())
    return state


def writer(state: PolicyState, statuses: FakeStatuses) -> PolicyStatusWriter:
    async def sleep(_: float) -> None: ...

    return PolicyStatusWriter(statuses, state, lambda: NOW, sleep)


async def test_a_status_is_written_once_and_again_when_it_changes() -> None:
    state, statuses = known("a", "b"), FakeStatuses()
    state.verdict(job())
    for _ in range(3):
        assert await writer(state, statuses).write_changed_statuses() == []
    assert statuses.writes == ["a", "b"]
    stored = state.policy_object("a")
    assert stored is not None
    assert (stored.status.jobs, stored.status.observed_generation) == (1, 1)
    state.put_job(job("second"))
    await writer(state, statuses).write_changed_statuses()
    assert statuses.writes == ["a", "b", "a", "b"]


async def test_a_refused_write_is_returned_and_the_others_continue() -> None:
    state, statuses = known("a", "b"), FakeStatuses()
    statuses.refused = {"a": RequestRefused("forbidden")}
    assert await writer(state, statuses).write_changed_statuses() == ["a"]
    assert statuses.writes == ["b"]
    state.mark_policies_changed(["a"])
    statuses.refused = {}
    assert await writer(state, statuses).write_changed_statuses() == []
    assert statuses.writes == ["b", "a"]


async def test_a_policy_that_was_deleted_meanwhile_is_left_out() -> None:
    state, statuses = known("a"), FakeStatuses()
    statuses.refused = {"a": NotFound("gone")}
    assert await writer(state, statuses).write_changed_statuses() == []
    stored = state.policy_object("a")
    assert stored is not None
    state.mark_all_policies_changed()
    state.remove(stored)
    assert await writer(state, statuses).write_changed_statuses() == []


async def test_the_condition_says_on_how_many_jobs_the_policy_has_an_effect_or_what_to_wait_for() -> None:
    state, statuses = known(), FakeStatuses()
    state.put(PolicyObject(metadata=policy("a").metadata, policy=policy("a")))
    messages = []
    for reconciled in ([], [job()], [job("second")]):
        for each in reconciled:
            state.put_job(each)
            state.verdict(each)
        state.mark_all_policies_changed()
        await writer(state, statuses).write_changed_statuses()
        stored = state.policy_object("a")
        assert stored is not None
        messages.append(stored.status.conditions[0].message)
    assert messages == [
        "The policy is not applied to 1 job yet: wait for the next resync, at most five minutes.",
        "The policy applies to 1 job in 1 namespace.",
        "The policy applies to 2 jobs in 1 namespace.",
    ]
