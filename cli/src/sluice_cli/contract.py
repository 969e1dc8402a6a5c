"""The data that is generated from the contract: names, remedies, and the switches that can pause a job."""

from __future__ import annotations

import json
import os.path
import shlex
import sys
from functools import cache
from typing import Any, NamedTuple

_UNKNOWN_ENDS = "A switch of another version: see `kubectl describe ij`."


class Switch(NamedTuple):
    """A switch that can pause a job: its position in the order of authority, what ends it, and a command for that."""

    position: int
    ends: str
    command: str


@cache
def contract() -> dict[str, Any]:
    """Return the whole data, as `make crds` wrote it."""
    return _generated("contract.json")


@cache
def field_texts() -> dict[str, Any]:
    """Return the description of each field of a job's spec, and the bounds of the items of a list."""
    return _generated("field_texts.json")


def _generated(name: str) -> dict[str, Any]:
    loader: Any = sys.modules[__name__].__spec__.loader  # type: ignore[union-attr]  # of a folder or of a zip file; pkgutil would take 5 ms
    found: dict[str, Any] = json.loads(loader.get_data(os.path.join(os.path.dirname(__file__), name)))
    return found


def api_path(kind: str, namespace: str = "", name: str = "") -> str:
    """Return the URL path of the objects of a kind: of a namespace, or of the cluster if it is empty."""
    data = contract()
    parts = ["/apis", data["apiVersion"], *(["namespaces", namespace] if namespace else []), data["kinds"][kind]]
    return "/".join(parts + ([name] if name else []))


def pod_name(job: str) -> str:
    """Return the name of the pod of a job."""
    return f"{job}{contract()['podSuffix']}"


def pod_path(namespace: str, job: str) -> str:
    """Return the URL path of the pod of a job."""
    return f"/api/v1/namespaces/{namespace}/pods/{pod_name(job)}"


def resource(kind: str) -> str:
    """Return the resource of a kind with its group, as kubectl accepts it: `ingestjobs.sluice.dev`."""
    data = contract()
    return f"{data['kinds'][kind]}.{data['group']}"


def remedy_of_reason(reason: str) -> str:
    """Return what to do about a reason of a job's condition; empty if there is nothing to do, or it is unknown."""
    known = contract()["conditions"]["IngestJob"]["reasons"].get(reason)
    remedy: str = known["remedy"] if known else ""
    return "" if remedy == "Nothing." else remedy


def remedy_of_failure(kind: str) -> str:
    """Return what to do about a type of failure of the stream; empty if it is unknown."""
    remedy: str = contract()["failures"].get(kind, "")
    return remedy


def switch_of_source(source: str, namespace: str, job: str) -> Switch:
    """Return the switch of a source in a job's status, such as `pause:NAME`. One of another version is last."""
    switches = contract()["switches"]
    for position, each in enumerate(switches):
        known: str = each["source"]
        if source == known or (known.endswith(":") and source.startswith(known)):
            words = {"namespace": namespace, "job": job, "name": source[len(known) :]}
            quoted = {name: shlex.quote(word) for name, word in words.items()}
            return Switch(position, each["ends"], each["command"].format(**quoted))
    return Switch(len(switches), _UNKNOWN_ENDS, f"kubectl describe ij {shlex.quote(job)} -n {shlex.quote(namespace)}")
