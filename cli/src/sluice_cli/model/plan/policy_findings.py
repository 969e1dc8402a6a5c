"""Findings about the bounds that the platform sets, as far as they can be seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ...contract import contract
from ..fields import child, flag, number, text, texts
from .document_claims import PlannedJob
from .findings import Finding
from .namespace_quota import denials_of_jobs
from .policies import (
    WRITES_PER_DAY,
    WRITES_PER_SECOND,
    MergedPolicy,
    merged_policy,
    policies_of_namespace,
)
from .write_costs import Caps


class PolicyView(NamedTuple):
    """The IngestPolicies, and the labels of namespaces. None, and an absent namespace, mean: not visible."""

    policies: tuple[dict[str, Any], ...] | None
    labels: Mapping[str, Mapping[str, str]]


def tenant_findings(job: PlannedJob, view: PolicyView) -> list[Finding]:
    """Return a problem if the namespace serves another tenant."""
    label = contract()["tenantLabel"]
    serves, tenant = view.labels.get(job.namespace, {}).get(label, ""), text(job.spec, "tenant")
    if not serves or not tenant or serves == tenant:
        return []
    message = f"Namespace {job.namespace} serves tenant {serves} (label {label}), and spec.tenant is {tenant}."
    remedy = f"Set spec.tenant to {serves}, or apply the file to the namespace of {tenant}."
    return [Finding("problem", "tenant", message, remedy)]


def policy_findings(job: PlannedJob, jobs: Sequence[PlannedJob], view: PolicyView) -> list[Finding]:
    """Return why policies deny the job, what those with mode Warn would deny, and which limits they lower."""
    policies = _policies_of_job(job, jobs, view)
    if policies is None:
        return []
    enforced = [each for each in policies if text(each, "spec", "mode") != "Warn"]
    neighbors = [each for each in jobs if each.namespace == job.namespace]
    merged = merged_policy(enforced)
    denial = denials_of_jobs(neighbors, merged).get(job.name, "")
    found = [Finding("problem", "policy", denial)] if denial else _capped_findings(job, merged)
    for policy in policies:
        if text(policy, "spec", "mode") == "Warn" and not denial:
            name = text(policy, "metadata", "name")
            warned = denials_of_jobs(neighbors, merged_policy([*enforced, policy])).get(job.name, "")
            if warned:
                found.append(Finding("warning", "policy", f"If IngestPolicy {name} is enforced: {warned}"))
    return found


def caps_of_job(job: PlannedJob, jobs: Sequence[PlannedJob], view: PolicyView) -> Caps:
    """Return the bounds of the policies on the writes of a job, from the status of jobs if policies are not visible."""
    policies = _policies_of_job(job, jobs, view)
    if policies is None:
        policy = _status_policy(job, jobs)
        source = ", ".join(texts(policy, "names"))
        return Caps(
            number(policy, "writesPerSecond"), number(policy, "writesPerDay"), bool(flag(policy, "dryRun")), source
        )
    merged = merged_policy(each for each in policies if text(each, "spec", "mode") != "Warn")
    values = {name: bound.value for name, bound in merged.job_bounds.items()}
    return Caps(
        values.get(WRITES_PER_SECOND), values.get(WRITES_PER_DAY), bool(merged.dry_run_policy), ", ".join(merged.names)
    )


def _policies_of_job(job: PlannedJob, jobs: Iterable[PlannedJob], view: PolicyView) -> list[dict[str, Any]] | None:
    """Return the policies of the job's namespace: by its labels, or as jobs report them. None: not visible."""
    if view.policies is None:
        return None
    if job.namespace in view.labels:
        return policies_of_namespace(view.policies, view.labels[job.namespace])
    names = texts(_status_policy(job, jobs), "names")
    return [each for each in view.policies if text(each, "metadata", "name") in names] if names else None


def _status_policy(job: PlannedJob, jobs: Iterable[PlannedJob]) -> dict[str, Any]:
    """Return what the operator wrote about policies into the status of the job, or of another one of its namespace."""
    own = child(job.document, "status", "policy")
    neighbors = (child(each.document, "status", "policy") for each in jobs if each.namespace == job.namespace)
    return own or next((each for each in neighbors if each), {})


def _capped_findings(job: PlannedJob, merged: MergedPolicy) -> list[Finding]:
    found = []
    for name in (WRITES_PER_SECOND, WRITES_PER_DAY):
        bound, declared = merged.job_bounds.get(name), number(job.spec, "limits", name)
        if bound is not None and (declared is None or declared > bound.value):
            given = "is absent" if declared is None else f"is {declared}"
            message = f"spec.limits.{name} {given}, and IngestPolicy {bound.policy} lowers it to {bound.value}."
            found.append(Finding("note", "policy", message))
    if merged.dry_run_policy and not flag(job.spec, "dryRun"):
        message = f"IngestPolicy {merged.dry_run_policy} forces a dry run: the job writes no quotes."
        found.append(Finding("warning", "policy", message))
    return found
