"""The check that a namespace still serves the tenant of its job: the label `sluice.dev/tenant` of the Namespace."""

from __future__ import annotations

from typing import Final

from sluice_contract import conditions as c
from sluice_contract import identity
from sluice_contract.status import Phase

from . import facts
from .actions import PodFinding, ReadinessVerdict, ReadTenantLabel, Step
from .findings import step_while_terminating
from .objects import Job
from .observation import NamespaceTenant, Observation

# The operator reads the label of one namespace at most this often, and before it creates an object there.
REREAD_SECONDS: Final = 30.0


def finding_if_tenant_has_changed(o: Observation, job: Job) -> PodFinding | None:
    """Return a finding that creates no pod if the namespace serves another tenant. A running pod continues."""
    message = tenant_change_message(job, o.tenant)
    if not message or o.tenant is None:
        return None
    phase: Phase = "Failed" if facts.nothing_can_be_connected(o) else "Degraded"
    verdict = ReadinessVerdict(reason=c.TENANT_CHANGED, message=message, phase=phase, stalled=True)
    step: Step = None
    if o.pod is not None and facts.pod_is_terminating(o.pod):
        step, again = step_while_terminating(o)
        return PodFinding(verdict=verdict, step=step, requeue_after=again)
    wait = REREAD_SECONDS - o.tenant.age_seconds
    if wait > 0:
        return PodFinding(verdict=verdict, requeue_after=wait)
    return PodFinding(verdict=verdict, step=ReadTenantLabel())


def tenant_change_message(job: Job, tenant: NamespaceTenant | None) -> str:
    """Return a message that names both tenants and what to do; empty if the namespace serves the job's tenant.

    A namespace that never had the label while the operator ran serves any tenant: a cluster with one tenant has no
    labels. If there must be a label, policy sluice-tenant-required refuses the pod.
    """
    if job.spec is None or tenant is None or tenant.label == job.spec.tenant:
        return ""
    namespace, own, label = job.metadata.namespace, job.spec.tenant, identity.TENANT_LABEL
    if tenant.label is None:
        if not tenant.was_labelled:
            return ""
        now = f"Namespace {namespace} serves no tenant any more, because its label {label} was removed"
        instead = "delete this job"
    else:
        now = f"Namespace {namespace} now serves tenant {tenant.label} (label {label})"
        instead = f"delete this job and create one for tenant {tenant.label}"
    return (
        f"{now}, and this job belongs to tenant {own}. The operator creates no pod; a running pod continues until you "
        f"stop it. If the change is intended, {instead}; otherwise ask a cluster administrator to run kubectl label "
        f"namespace {namespace} {label}={own} --overwrite."
    )
