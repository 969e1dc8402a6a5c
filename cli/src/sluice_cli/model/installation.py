"""What `doctor` finds in the installation: the kinds, the operator, the policies, monitoring, and the clocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from ..contract import contract
from ..text.instants import age_text
from .fields import child, text
from .findings import PROBLEM, WARNING, Finding
from .fleet import Operator

# The admission policies of manifests/base, each with a binding of the same name.
ADMISSION_POLICIES = (
    "sluice-ingest-pod-image", "sluice-ingest-pods", "sluice-ingest-status", "sluice-operator", "sluice-pause-author",
    "sluice-pod-shape", "sluice-role-binding", "sluice-slot-leases", "sluice-tenant", "sluice-tenant-required",
)  # fmt: skip
# The PodMonitors of manifests/monitoring.
POD_MONITORS = ("sluice-ingest", "sluice-operator")
CLOCK_SECONDS = 5.0

_CRDS = "The CRDs"
_APPLY_CRDS = "Apply the CRDs of the operator's version before the operator: see docs/upgrades.md."
_APPLY_BASE = "Apply the manifests of the operator's version again: see docs/security.md."


def not_installed_finding() -> Finding:
    """Return the finding for a cluster that does not serve the kind IngestJob."""
    message = "the cluster does not serve the kind IngestJob: Sluice is not installed"
    return Finding(PROBLEM, "installation", _CRDS, message, "Install Sluice: see README.md.")


def kind_findings(served: Iterable[str]) -> Iterator[Finding]:
    """Yield the kinds that the cluster does not serve. `served` has the resources of the API version."""
    known = set(served)
    missing = sorted(kind for kind, plural in contract()["kinds"].items() if plural not in known)
    if missing:
        message = f"the cluster does not serve {', '.join(missing)}"
        yield Finding(PROBLEM, "installation", _CRDS, message, _APPLY_CRDS)


def field_findings(fields: frozenset[str]) -> Iterator[Finding]:
    """Yield how the fields of IngestJob in the cluster differ from those that the plugin knows."""
    known = frozenset(contract()["fields"])
    absent, new = sorted(known - fields), sorted(fields - known)
    if absent:
        message = f"they are older than this plugin: they lack {_some(absent)}"
        yield Finding(WARNING, "installation", _CRDS, message, _APPLY_CRDS)
    if new:
        message = f"they are newer than this plugin: it does not know {_some(new)}"
        yield Finding(WARNING, "installation", _CRDS, message, "Install the plugin of the operator's version.")


def fields_of_schema(schema: Mapping[str, Any]) -> frozenset[str]:
    """Return the paths of all fields of an OpenAPI schema, as in the contract: `alpaca.feed`, `symbols[].name`."""
    return frozenset(_paths(schema, ""))


def operator_findings(operator: Operator | None, skew: str, now: datetime) -> Iterator[Finding]:
    """Yield whether no operator leads, and whether its version does not fit. `operator` is None if it is not seen."""
    command = "kubectl get pods -n sluice-system"
    if operator is not None and not operator.is_leading:
        renewed = f"; the last leader was {operator.holder}, {age_text(operator.renewed_at, now)} ago"
        message = f"no replica leads{renewed if operator.holder and operator.renewed_at else ''}"
        remedy = "Jobs keep streaming, but nothing is reconciled: look at the pods of the operator."
        yield Finding(PROBLEM, "operator", "The operator", message, remedy, command)
    if skew:
        message, _, remedy = skew.partition(": ")
        yield Finding(PROBLEM, "operator", "The operator", message, f"{remedy[:1].upper()}{remedy[1:]}")


def policy_object_findings(policies: frozenset[str], bindings: frozenset[str]) -> Iterator[Finding]:
    """Yield the admission policies and the bindings that are missing."""
    for names, kind in ((policies, "ValidatingAdmissionPolicy"), (bindings, "ValidatingAdmissionPolicyBinding")):
        missing = [each for each in ADMISSION_POLICIES if each not in names]
        if missing:
            message = f"there is no {kind} {_some(missing)}"
            yield Finding(PROBLEM, "policies", "The admission policies", message, _APPLY_BASE)


def monitoring_findings(names: frozenset[str]) -> Iterator[Finding]:
    """Yield the PodMonitors that are missing in a cluster that has the kind. `names` are those in sluice-system."""
    missing = [each for each in POD_MONITORS if each not in names]
    if missing:
        message = f"the cluster has the kind PodMonitor, but there is no PodMonitor {_some(missing)} in sluice-system"
        remedy = "Apply manifests/monitoring, so that Prometheus scrapes Sluice and alerts can fire."
        yield Finding(WARNING, "monitoring", "Monitoring", message, remedy, "kubectl apply -k manifests/monitoring")


def clock_findings(ahead_seconds: float | None, newest_report_seconds: float | None) -> Iterator[Finding]:
    """Yield how the clocks differ.

    `ahead_seconds` is how far this machine is ahead of the API server, and `newest_report_seconds` how old the newest
    heartbeat is by this machine's clock. Each is None if it is not known.
    """
    if ahead_seconds is not None and abs(ahead_seconds) > CLOCK_SECONDS:
        message = f"it is {_distance(ahead_seconds)} that of the API server: the ages that you see are wrong"
        yield Finding(WARNING, "clock", "Your clock", message, "Synchronize the clock of this machine (NTP).")
    if newest_report_seconds is None:
        return
    pods_ahead = (ahead_seconds or 0.0) - newest_report_seconds
    if pods_ahead > CLOCK_SECONDS:
        message = f"it is {pods_ahead:.1f} s ahead of {'the API server' if ahead_seconds is not None else 'yours'}"
        yield Finding(WARNING, "clock", "A node's clock", message, "Synchronize the clocks of the nodes (NTP).")


def _distance(seconds: float) -> str:
    return f"{abs(seconds):.1f} s {'ahead of' if seconds > 0 else 'behind'}"


def _some(names: list[str]) -> str:
    """Return the first five names, and how many more there are."""
    rest = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + rest


def _paths(schema: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name, field in child(schema, "properties").items():
        path = f"{prefix}{name}"
        yield path
        if text(field, "type") == "array":
            yield from _paths(child(field, "items"), f"{path}[].")
        else:
            yield from _paths(child(field), f"{path}.")
