"""The known policies and namespaces, and which jobs a change adds to the work queue."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sluice_contract import conditions as c
from sluice_contract import policy_conditions as pc
from sluice_contract.policies import IngestPolicy
from sluice_operator.domain import objects
from sluice_operator.domain.objects import Key
from sluice_operator.domain.policy_objects import PolicyObject, TenantNamespace, decode_policy_text
from sluice_operator.domain.policy_status import status_of_policy
from sluice_operator.policy_state import PolicyState, TenantNamespaces

from .policies import job, policy, symbols
from .world import NOW

SELECTED = {"matchLabels": {"tier": "gold"}}


def stored(found: IngestPolicy) -> PolicyObject:
    return PolicyObject(metadata=found.metadata, policy=found)


class Known:
    """A policy state with namespaces acme and globex, and the keys that it adds to the work queue."""

    def __init__(self, *policies: IngestPolicy) -> None:
        self.queued: list[Key] = []
        self.state = PolicyState(self.queued.append)
        self.state.replace_all([stored(each) for each in policies])
        self.state.namespaces.replace_all([namespace("acme", tier="gold"), namespace("globex")])

    def reason(self, name: str = "us-equities", space: str = "acme") -> str:
        verdict = self.state.verdict(job(name, namespace=space))
        return verdict.reason if verdict is not None else ""

    def take_queued(self) -> list[Key]:
        found, self.queued[:] = list(self.queued), []
        return found


def namespace(name: str, **labels: str) -> TenantNamespace:
    return TenantNamespace(name, {"sluice.dev/tenant": name} | labels)


def test_a_policy_applies_to_the_namespaces_that_it_selects_among_those_of_tenants() -> None:
    known = Known(policy("gold", namespaceSelector=SELECTED), policy("all", mode="Warn"))
    for space in ("acme", "globex", "default"):
        known.state.put_job(job(namespace=space))
    verdicts = [known.state.verdict(job(namespace=space)) for space in ("acme", "globex", "default")]
    assert [each.policy.names if each is not None else None for each in verdicts] == [["all", "gold"], ["all"], None]
    assert known.state.verdict(None) is None


def test_a_change_of_labels_adds_the_jobs_of_that_namespace_alone() -> None:
    known = Known(policy("gold", namespaceSelector=SELECTED))
    for space in ("acme", "globex"):
        known.state.put_job(job(namespace=space))
    known.state.namespaces.put(namespace("globex", color="red"))
    assert known.take_queued() == []
    known.state.namespaces.put(namespace("globex", tier="gold"))
    assert known.take_queued() == [("globex", "us-equities")]
    known.state.namespaces.remove(namespace("acme"))
    assert known.take_queued() == [("acme", "us-equities")]
    assert (known.reason(), known.reason(space="globex")) == ("", c.COMPLIANT)


def test_a_change_of_a_policy_adds_the_jobs_of_its_namespaces() -> None:
    known = Known(policy("gold", namespaceSelector=SELECTED))
    for space in ("acme", "globex"):
        known.state.put_job(job(namespace=space))
    changed = policy("gold", namespaceSelector=SELECTED, providers=[])
    known.state.put(
        stored(msgspec.structs.replace(changed, metadata=msgspec.structs.replace(changed.metadata, generation=2)))
    )
    assert known.take_queued() == [("acme", "us-equities")]
    assert known.reason() == c.POLICY_DENIED
    known.state.put(known.state.policy_object("gold") or stored(changed))  # a status write changes nothing
    assert known.take_queued() == []
    known.state.remove(stored(changed))
    assert known.take_queued() == [("acme", "us-equities")]
    assert known.reason() == ""


def versioned(found: IngestPolicy, version: str) -> PolicyObject:
    return stored(
        msgspec.structs.replace(found, metadata=msgspec.structs.replace(found.metadata, resource_version=version))
    )


def test_the_response_to_a_write_of_a_status_undoes_no_change_that_the_watch_has_shown() -> None:
    known = Known(policy())
    known.state.put_job(job())
    known.state.put(versioned(policy(providers=[]), "12"))
    known.state.put_written(versioned(policy(), "11"))
    assert known.reason() == c.POLICY_DENIED
    known.state.remove(versioned(policy(providers=[]), "12"))
    known.state.put_written(versioned(policy(providers=[]), "13"))
    assert (known.reason(), len(known.state)) == ("", 0)


def test_a_write_of_a_status_compares_no_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Known(policy())
    compared: list[str] = []
    monkeypatch.setattr(TenantNamespaces, "labels", lambda _, name: compared.append(name))
    known.state.put_written(versioned(policy(), "2"))
    assert compared == []
    known.state.put(versioned(policy(providers=[]), "3"))
    assert sorted(compared) == ["acme", "globex"]


def test_a_change_of_a_job_adds_at_most_one_other_job() -> None:
    known = Known(policy(perNamespace={"symbols": 40}))
    for minute, name in enumerate("abcde"):
        known.state.put_job(job(name, minute, symbols=symbols(10)))
    assert [known.reason(name) for name in "abcde"] == [c.COMPLIANT] * 4 + [c.QUOTA_EXCEEDED]
    known.take_queued()
    known.state.put_job(job("a", 0, symbols=symbols(30)))
    assert known.take_queued() == [("acme", "c")]
    assert [known.reason(name) for name in "abcde"] == [c.COMPLIANT] * 2 + [c.QUOTA_EXCEEDED] * 3
    known.state.remove_job(("acme", "a"))
    assert known.take_queued() == [("acme", "c")]
    assert known.reason("e") == c.COMPLIANT


def test_a_job_that_was_created_again_is_the_newest() -> None:
    known = Known(policy(perNamespace={"symbols": 15}))
    known.state.put_job(job("a", 0, symbols=symbols(10)))
    known.state.put_job(job("b", 1, symbols=symbols(10)))
    assert (known.reason("a"), known.reason("b")) == (c.COMPLIANT, c.QUOTA_EXCEEDED)
    known.state.put_job(job("a", 2, symbols=symbols(10)))
    assert (known.reason("a"), known.reason("b")) == (c.QUOTA_EXCEEDED, c.COMPLIANT)


def test_a_policy_that_is_not_understood_stays_in_force_as_it_was_last_understood() -> None:
    known = Known(policy(providers=[]))
    known.state.put_job(job())
    text: dict[str, Any] = {"metadata": {"name": "tenants", "uid": "uid-tenants", "generation": 2}}
    broken = decode_policy_text(msgspec.json.encode(text | {"spec": {"namespaceSelector": {}, "mode": "Audit"}}))
    assert broken.problem.startswith("spec.mode is not understood")
    known.state.put(broken)
    assert known.reason() == c.POLICY_DENIED
    known.state.put(msgspec.structs.replace(broken, metadata=msgspec.structs.replace(broken.metadata, uid="new")))
    assert known.reason() == ""


def test_nothing_is_known_until_policies_and_namespaces_are_listed() -> None:
    state = PolicyState(lambda _: None)
    state.put_job(job())
    assert (state.is_known, state.verdict(job())) == (False, None)
    state.replace_all([])
    assert state.is_known  # without policies, namespaces make no difference
    state.replace_all([stored(policy())])
    assert not state.is_known
    state.namespaces.replace_all([namespace("acme")])
    assert state.verdict(job()) is not None


async def test_the_effect_of_a_policy_is_reported_with_the_first_20_denied_jobs() -> None:
    known = Known(policy("gold", namespaceSelector=SELECTED, providers=[]))
    for number in range(25):
        known.state.put_job(job(f"j{number:02}", number))
    found = known.state.policy_object("gold")
    assert found is not None
    assert known.state.take_changed_policies() == ["gold"]
    status = status_of_policy(found, await known.state.effect_of_policy("gold"), NOW)
    assert (status.namespaces, status.jobs, status.denied_jobs, len(status.denied)) == (1, 25, 25, 20)
    assert status.denied[0].job == "acme/j00"
    assert [(each.type, each.status, each.reason) for each in status.conditions] == [(pc.READY, "True", pc.APPLIED)]
    assert known.state.take_changed_policies() == []


async def test_a_policy_is_ready_when_each_job_has_been_reconciled_since_its_change() -> None:
    known = Known(policy("gold", namespaceSelector=SELECTED))
    for name in "ab":
        known.state.put_job(job(name))
    changed = policy("gold", namespaceSelector=SELECTED, dryRun=True)
    known.state.put(
        stored(msgspec.structs.replace(changed, metadata=msgspec.structs.replace(changed.metadata, generation=2)))
    )
    assert known.reason("a") == c.CAPPED
    found = known.state.policy_object("gold")
    assert found is not None
    status = status_of_policy(found, await known.state.effect_of_policy("gold"), NOW)
    assert [(each.type, each.reason) for each in status.conditions] == [
        (pc.READY, pc.APPLYING),
        (pc.RECONCILING, pc.APPLYING),
    ]
    known.state.take_changed_policies()
    assert known.reason("b") == c.CAPPED
    assert known.state.take_changed_policies() == ["gold"]
    assert (await known.state.effect_of_policy("gold")).waiting_jobs == 0


async def test_a_policy_without_namespaces_and_one_that_is_not_understood_say_so() -> None:
    known = Known(policy("none", namespaceSelector={"matchLabels": {"tier": "tin"}}))
    found = known.state.policy_object("none")
    assert found is not None
    status = status_of_policy(found, await known.state.effect_of_policy("none"), NOW)
    assert [(each.status, each.reason) for each in status.conditions] == [("True", pc.NO_NAMESPACES)]
    broken = msgspec.structs.replace(found, policy=None, problem="spec.mode is not understood: write Enforce or Warn")
    broken = msgspec.structs.replace(broken, status=status)
    status = status_of_policy(broken, await known.state.effect_of_policy("none"), NOW)
    assert [(each.type, each.status) for each in status.conditions] == [(pc.READY, "False"), (pc.STALLED, "True")]
    assert status.observed_generation == 1


def test_a_job_whose_spec_was_never_understood_keeps_what_its_status_says() -> None:
    known = Known(policy(providers=[]))
    status = {"policy": {"names": ["tenants"], "writesPerSecond": 5}}
    broken = objects.decode_job(
        {"metadata": {"namespace": "acme", "name": "a", "uid": "u"}, "spec": 7, "status": status}
    )
    known.state.put_job(broken)
    verdict = known.state.verdict(broken)
    assert verdict is not None
    assert (verdict.policy.writes_per_second, verdict.is_denied) == (5, False)
