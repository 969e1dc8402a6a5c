"""What `doctor` finds in the pods and the Secrets of jobs."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from ..contract import contract
from ..text.instants import age_text
from .fields import child, instant, number, objects, text
from .findings import PROBLEM, WARNING, Finding

PENDING_SECONDS = 60.0
# Reasons of a waiting container that pass by themselves.
_PASSING = ("ContainerCreating", "PodInitializing")
_DESCRIBE = "Read the events of the pod."
_READ_LOG = "Read the log of the previous run of the container."


class SecretNeed(NamedTuple):
    """A Secret that a job names, and the keys that it needs."""

    namespace: str
    name: str
    keys: tuple[str, ...]
    field: str
    job: str

    @property
    def about(self) -> str:
        """The namespace and the name of the job."""
        return f"{self.namespace}/{self.job}"


def secret_needs(document: dict[str, Any]) -> Iterator[SecretNeed]:
    """Yield the Secrets that a job names."""
    namespace, job = text(document, "metadata", "namespace"), text(document, "metadata", "name")
    for each in contract()["secrets"]:
        if name := text(document, "spec", *each["field"].split("."), "name"):
            yield SecretNeed(namespace, name, tuple(each["keys"]), each["field"], job)


def secret_findings(need: SecretNeed, keys: frozenset[str] | None) -> Iterator[Finding]:
    """Yield what is missing of a Secret. `keys` has the names of its keys; None: there is no such Secret."""
    literals = " ".join(f"--from-literal={key}=…" for key in need.keys)
    where = f"-n {shlex.quote(need.namespace)}"
    if keys is None:
        message = f"the Secret {need.name} of spec.{need.field} does not exist"
        command = f"kubectl create secret generic {shlex.quote(need.name)} {where} {literals}"
        yield Finding(PROBLEM, "secret", need.about, message, f"Create it with {_names(need.keys)}.", command)
    elif missing := [key for key in need.keys if key not in keys]:
        message = f"the Secret {need.name} of spec.{need.field} lacks {_names(missing)}"
        command = f"kubectl edit secret {shlex.quote(need.name)} {where}"
        yield Finding(PROBLEM, "secret", need.about, message, "Add what is missing.", command)


def pod_findings(pod: dict[str, Any], now: datetime) -> Iterator[Finding]:
    """Yield why a pod does not run, or why its container was restarted."""
    about = f"{text(pod, 'metadata', 'namespace')}/{text(pod, 'metadata', 'name')}"
    where = f"{shlex.quote(text(pod, 'metadata', 'name'))} -n {shlex.quote(text(pod, 'metadata', 'namespace'))}"
    if text(pod, "metadata", "deletionTimestamp"):
        return
    created_at = instant(pod, "metadata", "creationTimestamp")
    waits = created_at is not None and (now - created_at).total_seconds() > PENDING_SECONDS
    if text(pod, "status", "phase") == "Pending" and waits and (reason := _pending_reason(pod)):
        message = f"the pod is Pending for {age_text(created_at, now)}: {reason}"
        yield Finding(PROBLEM, "pod", about, message, _DESCRIBE, f"kubectl describe pod {where}")
    for container in objects(pod, "status", "containerStatuses"):
        yield from _container_findings(container, about, where, now)


def _pending_reason(pod: dict[str, Any]) -> str:
    """Return why a pod does not start; empty if one of its containers says so itself."""
    if any(_waiting_reason(each) for each in objects(pod, "status", "containerStatuses")):
        return ""
    conditions = objects(pod, "status", "conditions")
    unmet = next((each for each in conditions if text(each, "status") == "False" and text(each, "message")), {})
    return text(unmet, "message") or "its containers have not been created"


def _container_findings(container: dict[str, Any], about: str, where: str, now: datetime) -> Iterator[Finding]:
    name = text(container, "name")
    last = child(container, "lastState", "terminated")
    ended = f"the last run ended {_ending(last, now)}" if last else ""
    log = f"kubectl logs {where} -c {shlex.quote(name)} --previous --tail=50"
    if reason := _waiting_reason(container):
        said = text(container, "state", "waiting", "message")
        message = ": ".join(filter(None, (f"container {name} waits, {reason}", said)))
        remedy, command = (_READ_LOG, log) if last else (_DESCRIBE, f"kubectl describe pod {where}")
        yield Finding(PROBLEM, "pod", about, "; ".join(filter(None, (message, ended))), remedy, command)
    elif restarts := number(container, "restartCount"):
        times = "once" if restarts == 1 else f"{restarts} times"
        message = "; ".join(filter(None, (f"container {name} was restarted {times}", ended)))
        yield Finding(WARNING, "pod", about, message, _READ_LOG, log)


def _waiting_reason(container: dict[str, Any]) -> str:
    reason = text(container, "state", "waiting", "reason")
    return "" if reason in _PASSING else reason


def _ending(terminated: dict[str, Any], now: datetime) -> str:
    code, reason = number(terminated, "exitCode"), text(terminated, "reason")
    at = instant(terminated, "finishedAt")
    ago = f" {age_text(at, now)} ago" if at else ""
    return f"with exit code {code} ({reason}){ago}" if reason else f"with exit code {code}{ago}"


def _names(keys: tuple[str, ...] | list[str]) -> str:
    return f"the {'key' if len(keys) == 1 else 'keys'} {' and '.join(keys)}"
