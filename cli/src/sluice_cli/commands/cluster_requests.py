"""The requests of `status`, started as early as possible: kubectl works while the rest of the plugin is imported."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..contract import api_path
from ..transport import Kubectl, Listing, ListRequest, Request, output_of

if TYPE_CHECKING:  # the requests start before argparse is imported
    import argparse

JOB, PAUSE, CLUSTER_PAUSE = "IngestJob", "IngestPause", "ClusterIngestPause"
SYSTEM_NAMESPACE, OPERATOR_LEASE = "sluice-system", "sluice-operator"
DEPLOYMENT_PATH = f"/apis/apps/v1/namespaces/{SYSTEM_NAMESPACE}/deployments/{OPERATOR_LEASE}"
LEASE_PATH = f"/apis/coordination.k8s.io/v1/namespaces/{SYSTEM_NAMESPACE}/leases/{OPERATOR_LEASE}"


class ClusterRequests(NamedTuple):
    """Processes that read the jobs, perhaps the pauses, and the Lease of the operator."""

    jobs: Request | ListRequest
    lease: Request

    def listing(self) -> Listing:
        """Wait for the jobs and the pauses. Raises TransportError if the jobs cannot be read."""
        if isinstance(self.jobs, ListRequest):
            return self.jobs.listing()
        found = json.loads(output_of(self.jobs.result()))
        return Listing({JOB: found.get("items") or []}, {})

    def operator_lease(self) -> dict[str, Any] | None:
        """Wait for the Lease; None if it cannot be read."""
        result = self.lease.result()
        found: dict[str, Any] | None = json.loads(result.output) if result.status == 0 else None
        return found

    def discard(self) -> None:
        """End the processes that nothing has waited for."""
        self.jobs.discard()
        self.lease.discard()


def start_requests(kubectl: Kubectl, scope: Sequence[str], *, has_pauses: bool) -> ClusterRequests:
    """Start the requests. Reading by the URL path needs half of the time, and is possible in known namespaces."""
    jobs: Request | ListRequest
    if has_pauses:
        jobs = kubectl.start_list((JOB, PAUSE, CLUSTER_PAUSE), scope)
    elif not scope:
        jobs = kubectl.start_list((JOB,), scope)
    else:
        jobs = kubectl.start_read(api_path(JOB, scope[1] if scope[0] == "-n" else ""))
    return ClusterRequests(jobs, kubectl.start_read(LEASE_PATH))


def start_status_requests(options: argparse.Namespace, kubectl: Kubectl) -> ClusterRequests:
    """Start what `status` reads first, by its arguments as they were written."""
    return start_requests(kubectl, status_scope(options), has_pauses=needs_pauses(options))


def status_scope(options: argparse.Namespace) -> list[str]:
    """Return the options of kubectl for the namespaces of `status`."""
    named: str = (options.job or "").rpartition("/")[0] or options.namespace
    return ["-n", named] if named else ["-A"] if options.all_namespaces else []


def needs_pauses(options: argparse.Namespace) -> bool:
    """Return whether the output has more than the table, whose rows need only the jobs."""
    return bool(options.job or options.paused or options.output in ("json", "yaml"))
