"""The requests of `doctor` about the installation. Each that the user may not send becomes a line of what is unseen."""

from __future__ import annotations

import json
import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ..contract import contract
from ..model.fields import child, objects, text
from ..model.findings import Finding
from ..model.fleet import Unseen, operator_of_lease
from ..model.installation import (
    clock_findings,
    field_findings,
    fields_of_schema,
    kind_findings,
    monitoring_findings,
    operator_findings,
    policy_object_findings,
)
from ..transport import Kubectl, NotFoundError, Request, TransportError, output_of
from .cluster_requests import LEASE_PATH, OPERATOR_LEASE, SYSTEM_NAMESPACE
from .context import Context

_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
_POLICIES, _BINDINGS = "validatingadmissionpolicies", "validatingadmissionpolicybindings"
_LONGEST_ANSWER = 3.0  # seconds; a longer one says too little about the clock
_DATE = re.compile(r"\bDate: (\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT)")


class InstallationRequests:
    """The processes that read the installation, started together because each takes some ten milliseconds."""

    def __init__(self, kubectl: Kubectl) -> None:
        version = contract()["apiVersion"]
        self._requests: dict[str, Request] = {
            name: kubectl.start_read(path)
            for name, path in {
                "kinds": f"/apis/{version}",
                "schema": f"/openapi/v3/apis/{version}",
                "lease": LEASE_PATH,
                "policies": f"{_ADMISSION}/{_POLICIES}",
                "bindings": f"{_ADMISSION}/{_BINDINGS}",
                "monitors": f"/apis/monitoring.coreos.com/v1/namespaces/{SYSTEM_NAMESPACE}/podmonitors",
            }.items()
        }
        self._kubectl = kubectl
        self.unseen: list[Unseen] = []

    def findings(self, context: Context, skew: str, newest_report_at: datetime | None) -> list[Finding]:
        """Wait for the requests, and return what is wrong. `newest_report_at` is the newest heartbeat of a pod."""
        now = context.now()
        kinds = self._object("kinds", "the kinds of Sluice", "you may not get /apis/sluice.dev")
        schema = self._object("schema", "the fields of the CRDs", "you may not get /openapi/v3")
        lease = self._object(
            "lease", "the operator", f"you may not get the Lease {OPERATOR_LEASE} in {SYSTEM_NAMESPACE}", {}
        )
        found: list[Finding] = []
        if kinds is not None:
            found += kind_findings(text(each, "name") for each in objects(kinds, "resources"))
        if fields := _job_fields(schema or {}):
            found += field_findings(fields)
        operator = operator_of_lease(lease, now) if lease is not None else None
        found += operator_findings(operator, skew, now)
        found += self._policy_findings()
        monitors = self._object("monitors", "the PodMonitors", "you may not list podmonitors in sluice-system")
        if monitors is not None:
            found += monitoring_findings(_names(monitors))
        age = (now - newest_report_at).total_seconds() if newest_report_at is not None else None
        return [*found, *clock_findings(self._seconds_ahead(context), age)]

    def discard(self) -> None:
        """End the processes that nothing has waited for."""
        for each in self._requests.values():
            each.discard()

    def _policy_findings(self) -> list[Finding]:
        policies = self._object("policies", "the admission policies", f"you may not list {_POLICIES}")
        bindings = self._object("bindings", "the bindings of the admission policies", f"you may not list {_BINDINGS}")
        if policies is None or bindings is None:
            return []
        return list(policy_object_findings(_names(policies), _names(bindings)))

    def _object(self, name: str, what: str, why: str, absent: dict[str, Any] | None = None) -> dict[str, Any] | None:
        """Return what was read; `absent` if there is no such object, and None if it could not be read."""
        try:
            found: dict[str, Any] = json.loads(output_of(self._requests[name].result()))
        except NotFoundError:
            return absent
        except (TransportError, ValueError):
            self.unseen.append(Unseen(what, why))
            return None
        return found

    def _seconds_ahead(self, context: Context) -> float | None:
        """Return how far this machine's clock is ahead of the API server's, whose answers have its time in seconds."""
        before = context.now()
        found = _DATE.search(self._kubectl.start_verbose("/version").raw_errors())
        took = context.now() - before
        if found is None or took.total_seconds() > _LONGEST_ANSWER:
            return None
        half_a_second = 0.5  # the time of the answer is cut to a second
        return (before + took / 2 - parsedate_to_datetime(found[1])).total_seconds() - half_a_second


def _job_fields(schema: dict[str, Any]) -> frozenset[str]:
    """Return the paths of the fields of the spec of an IngestJob in an OpenAPI document; empty without the kind."""
    for each in child(schema, "components", "schemas").values():
        kinds = {text(kind, "kind") for kind in objects(each, "x-kubernetes-group-version-kind")}
        if "IngestJob" in kinds:
            return fields_of_schema(child(each, "properties", "spec"))
    return frozenset()


def _names(listing: dict[str, Any]) -> frozenset[str]:
    return frozenset(text(each, "metadata", "name") for each in objects(listing, "items"))
