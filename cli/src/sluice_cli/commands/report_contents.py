"""What a report for support contains: objects, events, logs and versions, without secrets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .. import VERSION
from ..contract import contract
from ..model.fields import child, items, number, objects, text
from ..model.fleet import Unseen
from ..model.redacted_objects import redacted, secret_values
from ..text.redaction import Redactor, projects_in
from ..transport import Kubectl, Request, TransportError, output_of
from .cluster_requests import DEPLOYMENT_PATH, LEASE_PATH, OPERATOR_LEASE, SYSTEM_NAMESPACE

_OPERATOR_CONTAINER = "operator"
_AT_ONCE = 8  # processes of kubectl
_EVENT_KINDS = ("IngestJob", "IngestPause", "ClusterIngestPause", "IngestPolicy")
_PODS = f"/api/v1/namespaces/{SYSTEM_NAMESPACE}/pods?labelSelector=app.kubernetes.io%2Fname%3D{OPERATOR_LEASE}"


class Log(NamedTuple):
    """The log of a container, and the name of its file in the report."""

    namespace: str
    pod: str
    container: str
    is_previous: bool

    @property
    def file(self) -> str:
        """The path of the file in the report."""
        return f"logs/{self.namespace}/{self.pod}{'.previous' if self.is_previous else ''}.log"


class Collected(NamedTuple):
    """What was read from the cluster, by the name of its file, and what could not be read."""

    objects: dict[str, Any]
    logs: dict[str, str]
    unseen: tuple[Unseen, ...]

    def documents(self) -> Iterator[dict[str, Any]]:
        """Yield the objects of the API server."""
        for each in self.objects.values():
            yield from (one for one in (each if isinstance(each, list) else [each]) if isinstance(one, dict))


def collect(kubectl: Kubectl, own: Mapping[str, Sequence[dict[str, Any]]], namespace: str, lines: int) -> Collected:
    """Read the operator, events, versions and logs beside `own`, the objects by the name of their file.

    `namespace` is empty for all, and `lines` is how many lines of each log are read.
    """
    requests = {
        "operator.json": kubectl.start_read(DEPLOYMENT_PATH),
        "operator-lease.json": kubectl.start_read(LEASE_PATH),
        "operator-pods.json": kubectl.start_read(_PODS),
        "events.json": kubectl.start_read(f"/api/v1/namespaces/{namespace}/events" if namespace else "/api/v1/events"),
        "operator-events.json": kubectl.start_read(f"/api/v1/namespaces/{SYSTEM_NAMESPACE}/events"),
        "versions.json": kubectl.start("version", "-o", "json"),
    }
    found: dict[str, Any] = {name: list(each) for name, each in own.items()}
    unseen: list[Unseen] = []
    for name, request in requests.items():
        answer = _answer(request)
        if isinstance(answer, str):
            unseen.append(Unseen(name, answer))
        else:
            found[name] = answer
    found["versions.json"] = _versions(found)
    for name in ("operator-pods.json", "events.json", "operator-events.json"):
        found[name] = items(found, name, "items")
    names = {text(each, "metadata", "name") for each in own["pods.json"]}
    found["events.json"] = [each for each in found["events.json"] if _is_about(each, names)]
    logs, unseen_logs = _read_logs(kubectl, list(_logs(own["pods.json"], found["operator-pods.json"])), lines)
    return Collected(found, logs, (*unseen, *unseen_logs))


def _answer(request: Request) -> dict[str, Any] | str:
    """Return the object of an answer, or why there is none."""
    try:
        found: dict[str, Any] = json.loads(output_of(request.result()))
    except (TransportError, ValueError) as error:
        return str(error)
    return found


def redacted_files(collected: Collected, *, hides_projects: bool) -> dict[str, str]:
    """Return the text of each file without secrets."""
    redactor = redactor_of(collected, hides_projects=hides_projects)
    texts = {
        name: json.dumps(redacted(each, redactor), indent=1, ensure_ascii=False) + "\n"
        for name, each in collected.objects.items()
    }
    return {**texts, **{name: redactor.text(log) for name, log in collected.logs.items()}}


def redactor_of(collected: Collected, *, hides_projects: bool) -> Redactor:
    """Return what removes the secrets of this report, and with `hides_projects` the names of Firestore's projects."""
    documents = list(collected.documents())
    projects: set[str] = set()
    if hides_projects:
        projects = {text(each, "spec", "firestore", "projectID") for each in documents}
        projects |= {text(variable, "value") for each in documents for variable in _project_variables(each)}
        projects |= projects_in("\n".join((*collected.logs.values(), json.dumps(documents))))
    return Redactor(secret_values(documents), projects)


def _project_variables(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for spec in (child(document, "spec"), child(document, "spec", "template", "spec")):
        for container in objects(spec, "containers"):
            yield from (each for each in objects(container, "env") if "PROJECT" in text(each, "name"))


def _versions(found: dict[str, Any]) -> dict[str, Any]:
    images = [
        text(each, "image")
        for each in objects(found, "operator.json", "spec", "template", "spec", "containers")
        if text(each, "name") == _OPERATOR_CONTAINER
    ]
    return {
        "plugin": VERSION,
        "api": contract()["apiVersion"],
        "operatorImage": images[0] if images else None,
        "kubernetes": found.get("versions.json"),
    }


def _is_about(event: dict[str, Any], pods: set[str]) -> bool:
    kind, name = text(event, "involvedObject", "kind"), text(event, "involvedObject", "name")
    return kind in _EVENT_KINDS or (kind == "Pod" and name in pods)


def _logs(pods: Sequence[dict[str, Any]], operator_pods: Sequence[dict[str, Any]]) -> Iterator[Log]:
    for container, group in ((contract()["container"], pods), (_OPERATOR_CONTAINER, operator_pods)):
        for each in group:
            namespace, name = text(each, "metadata", "namespace"), text(each, "metadata", "name")
            yield Log(namespace, name, container, is_previous=False)
            if _has_restarted(each, container):
                yield Log(namespace, name, container, is_previous=True)


def _has_restarted(pod: dict[str, Any], container: str) -> bool:
    statuses = objects(pod, "status", "containerStatuses")
    return any((number(each, "restartCount") or 0) > 0 for each in statuses if text(each, "name") == container)


def _read_logs(kubectl: Kubectl, logs: Sequence[Log], lines: int) -> tuple[dict[str, str], list[Unseen]]:
    found: dict[str, str] = {}
    unseen: list[Unseen] = []
    for start in range(0, len(logs), _AT_ONCE):
        some = logs[start : start + _AT_ONCE]
        requests = [kubectl.start_read(_log_path(each, lines)) for each in some]
        for log, request in zip(some, requests):
            result = request.result()
            if result.status == 0:
                found[log.file] = result.output
            else:
                unseen.append(Unseen(log.file, result.errors))
    return found, unseen


def _log_path(log: Log, lines: int) -> str:
    """Return the URL path of a log. kubectl logs would need the permission to get the pod, too."""
    previous = "&previous=true" if log.is_previous else ""
    pod = f"/api/v1/namespaces/{log.namespace}/pods/{log.pod}"
    return f"{pod}/log?container={log.container}&tailLines={lines}{previous}"
