"""Reading of what a plan compares the documents with: jobs, policies and namespaces."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..contract import api_path, resource
from ..model.fields import child, text
from ..model.fleet import Unseen
from ..model.plan.policy_findings import PolicyView
from ..transport import Kubectl, NoAccessError, NotFoundError, NotServedError, Request, TransportError, output_of
from .cluster_requests import JOB

POLICY = "IngestPolicy"


class WorldRequests(NamedTuple):
    """Processes that read all jobs and all policies."""

    jobs: Request
    policies: Request

    def discard(self) -> None:
        """End the processes that nothing has waited for."""
        self.jobs.discard()
        self.policies.discard()


class World(NamedTuple):
    """The jobs that can be seen, the policies, and what could not be seen."""

    jobs: tuple[dict[str, Any], ...]
    policies: PolicyView
    unseen: tuple[Unseen, ...]


def start_world_requests(kubectl: Kubectl) -> WorldRequests:
    """Start the requests."""
    return WorldRequests(kubectl.start_read(api_path(JOB)), kubectl.start_read(api_path(POLICY)))


def read_world(kubectl: Kubectl, requests: WorldRequests, namespaces: Iterable[str], tenants: Iterable[str]) -> World:
    """Wait for the requests, and read the labels of the namespaces.

    Returns the jobs of these namespaces and of these tenants.

    Raises:
        TransportError: the jobs of the namespaces cannot be read.
    """
    names = sorted(set(namespaces))
    labels_requests = {each: kubectl.start_read(f"/api/v1/namespaces/{each}") for each in names}
    jobs, unseen = _read_jobs(kubectl, requests.jobs, names)
    policies, unseen_policies = _read_policies(requests.policies)
    labels, unseen_labels = _read_labels(labels_requests)
    wanted = set(tenants)
    near = [
        each for each in jobs if text(each, "metadata", "namespace") in names or text(each, "spec", "tenant") in wanted
    ]
    found = [*unseen, *unseen_policies, *unseen_labels]
    return World(tuple(near), PolicyView(policies, labels), tuple(found))


def _read_jobs(kubectl: Kubectl, request: Request, namespaces: list[str]) -> tuple[list[dict[str, Any]], list[Unseen]]:
    """Return all jobs; or those of the namespaces, if the others may not be listed."""
    try:
        return _items(request), []
    except NotFoundError as error:
        raise NotServedError(
            "Sluice is not installed in this cluster: it does not serve the kind IngestJob."
        ) from error
    except NoAccessError:
        found: list[dict[str, Any]] = []
        for each in namespaces:
            found += _items(kubectl.start_read(api_path(JOB, each)))
        why = f"you may not list {resource(JOB)} in the cluster"
        return found, [Unseen("conflicts with jobs of other namespaces", why)]


def _read_policies(request: Request) -> tuple[tuple[dict[str, Any], ...] | None, list[Unseen]]:
    try:
        return tuple(_items(request)), []
    except NotFoundError:  # an older CRD: there are no policies
        return (), []
    except TransportError:
        return None, [Unseen("IngestPolicies", f"you may not list {resource(POLICY)}; the status of jobs is used")]


def _read_labels(requests: Mapping[str, Request]) -> tuple[dict[str, dict[str, str]], list[Unseen]]:
    found = {name: _labels(request) for name, request in requests.items()}
    unseen = [
        Unseen(f"the labels of namespace {name}", "you may not get it") for name, each in found.items() if each is None
    ]
    return {name: each for name, each in found.items() if each is not None}, unseen


def _labels(request: Request) -> dict[str, str] | None:
    """Return the labels of a namespace, empty if it does not exist; None if it may not be read."""
    try:
        found: dict[str, Any] = json.loads(output_of(request.result()))
    except NotFoundError:
        return {}
    except TransportError:
        return None
    return child(found, "metadata", "labels")


def _items(request: Request) -> list[dict[str, Any]]:
    found: dict[str, Any] = json.loads(output_of(request.result()))
    items: list[dict[str, Any]] = found.get("items") or []
    return [{"kind": found.get("kind", "").replace("List", ""), **each} for each in items]
