"""Denials are counted, and each has an Event."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from kubernetes.aio.client.api_client import ApiClient

from sluice_contract import conditions as c
from sluice_contract.status import Condition
from sluice_operator.adapters.api import RequestSender
from sluice_operator.adapters.events import EventRecorder, event_manifest
from sluice_operator.domain.actions import ConditionTransition
from sluice_operator.domain.condition_events import transitions_for_events
from sluice_operator.domain.denial_causes import DENIAL_REASONS, POLICIES, denial_reason, denying_policy
from sluice_operator.metrics import Metrics
from sluice_operator.ports import EventReport, RequestRefused

from .world import KEY, NOW, World, declared

ROOT = Path(__file__).resolve().parents[3]
IS_POLICY = re.compile(r"^kind: ValidatingAdmissionPolicy$", re.MULTILINE)
REFUSAL = (
    "pods \"feed-ingest\" is forbidden: ValidatingAdmissionPolicy 'sluice-tenant-required' with binding "
    "'sluice-tenant-required' denied request: Namespace acme serves no tenant yet"
)


def stalled(reason: str, message: str = "why", status: str = "True") -> Condition:
    """Return a condition Stalled that is an hour old."""
    at = NOW.replace(hour=14)
    return Condition(
        type=c.STALLED, status=status, reason=reason, message=message, last_transition_time=at, observed_generation=1
    )


def counts(metrics: Metrics) -> dict[str, float]:
    """Return the number of denials by cause."""
    name = "sluice_operator_denials_total"
    samples = [sample for family in metrics.registry.collect() for sample in family.samples if sample.name == name]
    return {sample.labels["cause"]: sample.value for sample in samples if sample.value}


@pytest.mark.parametrize(
    ("message", "policy"),
    [
        (REFUSAL, "sluice-tenant-required"),
        (REFUSAL.replace("sluice-", "other-"), ""),
        ("exceeded quota: pods", ""),
        ("ValidatingAdmissionPolicy 'sluice-" + "x" * 5000 + "' denied", ""),
        ("", ""),
    ],
)
def test_a_denying_policy_is_found_in_the_message(message: str, policy: str) -> None:
    assert denying_policy(message) == policy


def test_the_policies_are_those_of_the_manifests() -> None:
    texts = [path.read_text("utf-8") for path in (ROOT / "manifests").rglob("*.yaml") if "chart" not in path.parts]
    documents = [document for text in texts for document in text.split("\n---\n")]
    named = [re.search(r"^  name: (\S+)$", each, re.MULTILINE) for each in documents if IS_POLICY.search(each)]
    assert {each[1] for each in named if each} == set(POLICIES)


@pytest.mark.parametrize("reason", sorted(DENIAL_REASONS))
def test_a_withheld_pod_is_a_denial_and_counted_once_for_each_event(reason: str) -> None:
    metrics, condition = Metrics(), stalled(reason)
    recorder = EventRecorder(_NoPoster(), metrics.count_dropped_event, lambda: 0.0, metrics.count_denial)
    assert denial_reason(condition) == reason
    for _ in range(12):  # the last two Events are dropped, but counted
        recorder.queue_or_drop(EventReport(KEY, "job-1", ConditionTransition(condition, warning=True)))
    recorder.queue_or_drop(EventReport(KEY, "job-2", ConditionTransition(stalled(c.NAME_CONFLICT), warning=True)))
    assert counts(metrics) == {reason: 12.0}


class _NoPoster:
    async def create_event(self, manifest: dict[str, Any]) -> None:
        """Post nothing."""


@pytest.mark.parametrize(("query", "expected"), [({}, {"sluice-tenant-required": 1.0}), ({"dryRun": "All"}, {})])
async def test_a_request_that_a_policy_refuses_is_counted_unless_it_is_a_dry_run(
    monkeypatch: pytest.MonkeyPatch, query: dict[str, str], expected: dict[str, float]
) -> None:
    metrics = Metrics()
    async with ApiClient() as client:
        sender = RequestSender(client, count_denial=metrics.count_denial)

        async def answer(*_: object) -> tuple[int, bytes, None]:
            return 403, msgspec.json.encode({"message": REFUSAL}), None

        monkeypatch.setattr(sender, "_send_and_read_response", answer)
        with pytest.raises(RequestRefused):
            await sender.send_request("POST", "/api/v1/namespaces/acme/pods", query)
    assert counts(metrics) == expected


@pytest.mark.parametrize(
    ("before", "after", "has_event"),
    [
        (None, stalled(c.TENANT_CHANGED), True),
        (stalled(c.POD_REJECTED), stalled(c.TENANT_CHANGED), True),
        (stalled(c.TENANT_CHANGED, "globex"), stalled(c.TENANT_CHANGED, "other"), True),
        (stalled(c.POD_REJECTED, "quota"), stalled(c.POD_REJECTED, "policy"), True),
        (stalled(c.TENANT_CHANGED), stalled(c.TENANT_CHANGED), False),
        (stalled(c.REFUSED, "403 at 10:00"), stalled(c.REFUSED, "403 at 10:01"), False),
    ],
)
def test_another_reason_of_a_stalled_job_has_an_event(
    before: Condition | None, after: Condition, has_event: bool
) -> None:
    transitions = transitions_for_events([before] if before else [], [after], NOW)
    assert [each.condition.reason for each in transitions] == ([after.reason] if has_event else [])
    assert all(each.warning for each in transitions)


def test_events_about_one_reason_at_different_times_have_different_names() -> None:
    before, after = stalled(c.POD_REJECTED), stalled(c.TENANT_CHANGED)
    names = set()
    for minute in (1, 2):
        [transition] = transitions_for_events([before], [after], NOW.replace(minute=minute))
        names.add(event_manifest(EventReport(KEY, "job-1", transition))["metadata"]["name"])
    assert len(names) == 2


async def test_a_stalled_job_has_one_event_and_not_one_for_each_retry(world: World) -> None:
    world.cluster.refusal = REFUSAL
    await declared(world)
    await world.advance(600)
    reasons = [each.transition.condition.reason for each in world.recorder.reports]
    assert reasons.count(c.POD_REJECTED) == 1
    [report] = [each for each in world.recorder.reports if each.transition.condition.reason == c.POD_REJECTED]
    assert "sluice-tenant-required" in report.transition.condition.message
    world.cluster.tenants[KEY[0]] = "globex"
    await world.advance(120)
    assert [each.transition.condition.reason for each in world.recorder.reports].count(c.TENANT_CHANGED) == 1
