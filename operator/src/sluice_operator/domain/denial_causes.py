"""The causes of denials: a policy refuses a request of the operator, or a rule lets it create no pod for a job."""

from __future__ import annotations

import re
from typing import Final

from sluice_contract import conditions as c
from sluice_contract.status import Condition

# The reasons of condition Stalled with which the operator withholds a pod by a rule of the platform.
DENIAL_REASONS: Final = frozenset({c.TENANT_CHANGED, c.POLICIES_NOT_PROVEN, c.POLICY_DENIED, c.QUOTA_EXCEEDED})
# Of these, a new message is a new fact. The messages of other reasons may repeat what a provider says.
REASONS_WITH_NEW_FACTS: Final = DENIAL_REASONS | {c.POD_REJECTED}

# Sluice's admission policies: each may refuse a request of the operator.
POLICIES: Final = (
    "sluice-ingest-pod-image",
    "sluice-ingest-pods",
    "sluice-ingest-status",
    "sluice-labelled-secrets",
    "sluice-operator",
    "sluice-pause-author",
    "sluice-pod-shape",
    "sluice-role-binding",
    "sluice-slot-leases",
    "sluice-tenant",
    "sluice-tenant-required",
)

_POLICY: Final = re.compile(r"ValidatingAdmissionPolicy '(sluice-[a-z0-9-]{1,57})'")


def denying_policy(message: str) -> str:
    """Return the name of Sluice's policy that refused a request with this message; empty if none did."""
    found = _POLICY.search(message)
    return found[1] if found else ""


def denial_reason(condition: Condition) -> str:
    """Return the reason if the condition says that the operator withholds a pod by a rule of the platform, or ""."""
    return condition.reason if condition.type == c.STALLED and condition.reason in DENIAL_REASONS else ""
