"""Reading of what the commands show: jobs, pauses, the operator's Lease and a pod."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, NamedTuple

from ..contract import pod_path, resource
from ..model.fields import text
from ..model.fleet import Operator, StatusList, Unseen, operator_of_lease, pause_view, sorted_by_urgency
from ..model.job import status_of_job
from ..model.pod import Pod, pod_of
from ..model.switches import PauseView
from ..transport import Kubectl, Listing, NotFoundError, Request, TransportError, output_of
from .cluster_requests import JOB, OPERATOR_LEASE, SYSTEM_NAMESPACE, ClusterRequests
from .selection import Selection, selected_jobs

_PLURALS = {"IngestPolicy": "IngestPolicies"}


class ClusterView(NamedTuple):
    """The objects as they were read, and what could not be read."""

    documents: tuple[dict[str, Any], ...]
    pauses: PauseView
    operator: dict[str, Any] | None  # the Lease
    unseen: tuple[Unseen, ...]

    def status(self, selection: Selection, now: datetime) -> StatusList:
        """Return the status of the selected jobs."""
        jobs = (status_of_job(each, self.pauses, now) for each in selected_jobs(self.documents, selection))
        return StatusList(now, sorted_by_urgency(jobs), self._operator(now), self.unseen)

    def with_jobs(self, documents: tuple[dict[str, Any], ...]) -> ClusterView:
        """Return the view with newer jobs."""
        return self._replace(documents=documents)

    def _operator(self, now: datetime) -> Operator | None:
        return None if self.operator is None else operator_of_lease(self.operator, now)


def read_cluster(requests: ClusterRequests) -> ClusterView:
    """Wait for the requests. Raises TransportError if the jobs cannot be read."""
    lease = requests.operator_lease()
    listing = requests.listing()
    unseen = unseen_kinds(listing)
    if lease is None:
        unseen.append(Unseen("the operator", f"you may not get the Lease {OPERATOR_LEASE} in {SYSTEM_NAMESPACE}"))
    return ClusterView(tuple(listing.objects[JOB]), pause_view(listing.objects, listing.unseen), lease, tuple(unseen))


def unseen_kinds(listing: Listing) -> list[Unseen]:
    """Return the kinds that could not be listed."""
    return [
        Unseen(_PLURALS.get(kind, f"{kind}s"), why if "serve" in why else f"you may not list {resource(kind)}")
        for kind, why in listing.unseen.items()
    ]


def read_pod(kubectl: Kubectl, job: dict[str, Any]) -> tuple[Pod | None, tuple[Unseen, ...]]:
    """Return the pod of a job, or None without one, and what could not be seen."""
    path = pod_path(text(job, "metadata", "namespace"), text(job, "metadata", "name"))
    try:
        return pod_of(json.loads(finished(kubectl.start_read(path)))), ()
    except NotFoundError:
        return None, ()
    except TransportError:
        return None, (Unseen("the pod", "you may not get pods"),)


def finished(request: Request) -> str:
    """Return the output of a request. Raises TransportError if it failed."""
    return output_of(request.result())
