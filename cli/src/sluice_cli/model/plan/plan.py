"""The plan of a document: what an apply would change, whether the job would stream, and what it would cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from ...contract import remedy_of_reason
from ..fields import child, text
from ..state import conditions_by_type
from .conflict_findings import conflict_findings, slot_findings
from .document_claims import PlannedJob, planned_job
from .findings import Finding
from .git_findings import declared_stop_findings, overwrite_findings
from .merged_document import merged_document, with_defaults
from .policy_findings import PolicyView, caps_of_job, policy_findings, tenant_findings
from .refusals import refusal_findings
from .replacement_gaps import replacement_seconds
from .spec_changes import COLD, Change, changes_of_job
from .symbol_duplicates import duplicate_findings
from .write_costs import Prices, Traffic, traffic_of_job
from .yaml_readings import misread_values

_TWICE = Finding("warning", "file", "The files declare this job more than once: the last document stays.")
CREATE, CHANGE, UNCHANGED = "create", "change", "unchanged"


class Judgement(NamedTuple):
    """What the API server says about a document in a dry run.

    `result` is the object as it would be stored; None if it was refused, with the message in `refusal`, or if it was
    not judged, with the reason in `unseen`.
    """

    result: dict[str, Any] | None = None
    refusal: str = ""
    unseen: str = ""


class Declared(NamedTuple):
    """A document of the files, the live object that it would change, and what the API server says about it."""

    document: dict[str, Any]
    live: dict[str, Any] | None
    judgement: Judgement
    source: str = ""  # the text of the file, if it is known
    manager: str = ""  # the field manager of the apply; empty: that of kubectl apply

    @property
    def after(self) -> dict[str, Any]:
        """The object as an apply would store it."""
        return self.judgement.result or merged_document(self.live, self.document)


class Costs(NamedTuple):
    """What the command line says about readers and prices."""

    viewers: int = 1
    prices: Prices = Prices()


class Plan(NamedTuple):
    """What an apply of one document would do. `gap_seconds` is None without a gap, or if no job has reported one."""

    namespace: str
    name: str
    action: str
    provider: str
    changes: tuple[Change, ...]
    is_replaced: bool
    has_gap: bool
    gap_seconds: int | None
    traffic: Traffic
    findings: tuple[Finding, ...]

    @property
    def full_name(self) -> str:
        """Namespace and name, such as `acme/us-equities`."""
        return f"{self.namespace}/{self.name}"

    @property
    def is_refused(self) -> bool:
        """Whether the API server would not store the document."""
        return any(each.level == "problem" and each.topic in ("refused", "yaml") for each in self.findings)

    @property
    def has_problem(self) -> bool:
        """Whether the document would be refused, or the job would be stalled."""
        return any(each.level == "problem" for each in self.findings)


def plans_of_documents(
    declared: Sequence[Declared], live: Sequence[dict[str, Any]], policies: PolicyView, costs: Costs
) -> list[Plan]:
    """Return the plan of each document, as if all of them were applied together.

    `live` has the jobs that can be seen: those of the namespaces of the documents, and those of the same tenants.
    """
    world = {_key(each): planned_job(each) for each in live}
    for each in declared:
        world[_key(each.after)] = planned_job(_with_creation_time(each))
    jobs = list(world.values())
    plans = [_plan(each, world[_key(each.after)], jobs, policies, costs) for each in declared]
    counts = Counter(each.full_name for each in plans)
    return [each._replace(findings=(*each.findings, _TWICE)) if counts[each.full_name] > 1 else each for each in plans]


def _plan(declared: Declared, job: PlannedJob, jobs: Sequence[PlannedJob], policies: PolicyView, costs: Costs) -> Plan:
    changes = changes_of_job(_with_defaults(declared.live), job.document) if declared.live is not None else ()
    is_replaced = any(each.effect == COLD for each in changes)
    has_gap = is_replaced and _is_streaming(declared.live)
    action = CREATE if declared.live is None else CHANGE if changes else UNCHANGED
    misread = misread_values(declared.document, declared.source)
    found = [
        *misread.values(),
        *_judgement_findings(declared, job, policies, misread),
        *conflict_findings(job, jobs),
        *policy_findings(job, jobs, policies),
        *slot_findings(job, jobs),
        *duplicate_findings(declared.document),
        *declared_stop_findings(declared.document),
        *overwrite_findings(declared.live, changes, declared.manager),
    ]
    if not any(each.level == "problem" for each in found):
        found += _present_findings(declared.live, is_changed=bool(changes))
    return Plan(
        namespace=job.namespace,
        name=job.name,
        action=action,
        provider=text(job.spec, "provider"),
        changes=changes,
        is_replaced=is_replaced,
        has_gap=has_gap,
        gap_seconds=replacement_seconds(declared.live or {}, (each.document for each in jobs)) if has_gap else None,
        traffic=traffic_of_job(job.spec, caps_of_job(job, jobs, policies), costs.viewers, costs.prices),
        findings=tuple(found),
    )


def _judgement_findings(
    declared: Declared, job: PlannedJob, policies: PolicyView, misread: Collection[str]
) -> list[Finding]:
    """Return why the API server refuses the document; if it does not, whether the namespace serves another tenant."""
    if declared.judgement.refusal:
        return refusal_findings(declared.judgement.refusal, misread)
    return tenant_findings(job, policies)


def _with_defaults(document: dict[str, Any]) -> dict[str, Any]:
    """Return the object with the defaults of this version: one that is stored by an earlier version may lack some."""
    return {**document, "spec": with_defaults(child(document, "spec"))}


def _key(document: dict[str, Any]) -> tuple[str, str]:
    return text(document, "metadata", "namespace"), text(document, "metadata", "name")


def _with_creation_time(declared: Declared) -> dict[str, Any]:
    """Return the object after the apply, with the status of the live one. A new one has no creation time."""
    live = declared.live or {}
    created = text(live, "metadata", "creationTimestamp")
    metadata = {**child(declared.after, "metadata"), "creationTimestamp": created}
    return {**_with_defaults(declared.after), "metadata": metadata, "status": child(live, "status")}


def _is_streaming(live: dict[str, Any] | None) -> bool:
    return live is not None and text(live, "status", "stream", "state") == "Live"


def _present_findings(live: dict[str, Any] | None, *, is_changed: bool) -> list[Finding]:
    """Return a finding if the live job is stalled: a problem if the document changes nothing."""
    stalled = conditions_by_type(live or {}).get("Stalled", {})
    if text(stalled, "status") != "True":
        return []
    reason, message = text(stalled, "reason"), text(stalled, "message")
    start = "The job is Stalled" if not is_changed else "Before the change, the job is Stalled"
    return [
        Finding(
            "warning" if is_changed else "problem", "state", f"{start} ({reason}): {message}", remedy_of_reason(reason)
        )
    ]
