"""Reads and applies of objects without a kubectl process, which takes many times as much CPU time as the request.

What is read is what `kubectl get -o json` prints, and what is applied is stored as kubectl applies it on the server's
side (tests/integration/test_direct_requests.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from sluice_contract import identity
from support.certificate_access import access_of

_SLUICE = f"/apis/{identity.API_VERSION}"
# The API and the plural of each kind that tests read often, by the name that kubectl is given.
_NAMESPACED = {
    "ij": (_SLUICE, "ingestjobs"),
    "ipause": (_SLUICE, "ingestpauses"),
    "pod": ("/api/v1", "pods"),
    "pods": ("/api/v1", "pods"),
    "lease": ("/apis/coordination.k8s.io/v1", "leases"),
    "leases": ("/apis/coordination.k8s.io/v1", "leases"),
    "deployment": ("/apis/apps/v1", "deployments"),
}
_OF_CLUSTER = {"cipause": (_SLUICE, "clusteringestpauses"), "ipolicy": (_SLUICE, "ingestpolicies")}
# The same for the kinds that tests apply often, by API version and kind; and whether they are in a namespace.
_APPLIED = {
    ("v1", "Namespace"): ("/api/v1", "namespaces", False),
    ("v1", "Secret"): ("/api/v1", "secrets", True),
    ("v1", "ConfigMap"): ("/api/v1", "configmaps", True),
    (identity.API_VERSION, identity.KIND): (_SLUICE, "ingestjobs", True),
    (identity.API_VERSION, identity.PAUSE_KIND): (_SLUICE, identity.PAUSES, True),
    (identity.API_VERSION, identity.CLUSTER_PAUSE_KIND): (_SLUICE, identity.CLUSTER_PAUSES, False),
    (identity.API_VERSION, identity.POLICY_KIND): (_SLUICE, identity.POLICIES, False),
}
_APPLY_QUERY = "fieldManager=kubectl&fieldValidation=Strict&force=true"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_OPTIONS = {"-n": "namespace", "-l": "labelSelector"}  # those that have a value


class Request(NamedTuple):
    """A GET of one object or of a list."""

    path: str  # with the query
    shows_managed_fields: bool


def request_of(arguments: Sequence[str]) -> Request | None:
    """Return the request of `kubectl get` with these arguments; None for a kind or an option that is not known here."""
    rest = list(arguments)
    options: dict[str, str] = {}
    words: list[str] = []
    while rest:
        word = rest.pop(0)
        if word in _OPTIONS and rest:
            options[_OPTIONS[word]] = rest.pop(0)
        elif word in ("-A", "--show-managed-fields"):
            options[word] = ""
        elif word.startswith("-") or "/" in word or "," in word:
            return None
        else:
            words.append(word)
    collection = _collection(words[0], options) if 1 <= len(words) <= 2 else None
    if collection is None or (len(words) == 2 and "labelSelector" in options):
        return None
    query = "?" + urlencode({"labelSelector": options["labelSelector"]}) if "labelSelector" in options else ""
    return Request("/".join([collection, *words[1:]]) + query, "--show-managed-fields" in options)


def as_kubectl_prints(found: dict[str, Any], request: Request) -> dict[str, Any]:
    """Return the response to a request in the form of `kubectl get -o json`."""
    if "items" not in found:
        return _without_managed_fields(found, request)
    header = {"apiVersion": found["apiVersion"], "kind": found["kind"].removesuffix("List")}
    items = [_without_managed_fields(header | each, request) for each in found["items"]]
    return {"apiVersion": "v1", "kind": "List", "items": items, "metadata": {"resourceVersion": ""}}


def apply_path(document: Mapping[str, Any]) -> str | None:
    """Return the path of a document to apply; None for a kind that is not known here, or without its namespace."""
    found = _APPLIED.get((document.get("apiVersion", ""), document.get("kind", "")))
    metadata = document.get("metadata", {})
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if found is None or not name or (found[2] and not namespace):
        return None
    api, plural, is_namespaced = found
    collection = f"{api}/namespaces/{namespace}/{plural}" if is_namespaced else f"{api}/{plural}"
    return f"{collection}/{name}?{_APPLY_QUERY}"


class DirectClient:
    """Sends requests with the client certificate of a kubeconfig."""

    def __init__(self, kubeconfig: Path, timeout: float) -> None:
        """A request ends after `timeout` seconds at most. Raises what `access_of` raises."""
        self._access = access_of(kubeconfig)
        self._timeout = timeout

    def read(self, request: Request) -> dict[str, Any] | None:
        """Return what kubectl would print; None if the API server does not answer with HTTP 200.

        Also None if the object is nested too deeply to be decoded. kubectl leaves out such managed fields.

        Raises:
            OSError: the API server cannot be reached, or does not answer in time.
            http.client.HTTPException: the connection ends before the response.
        """
        try:
            status, found = self._send("GET", request.path, {"Accept": "application/json"})
        except RecursionError:
            return None
        return as_kubectl_prints(found, request) if status == 200 else None

    def apply(self, path: str, document: Mapping[str, Any]) -> bool:
        """Apply a document at its `apply_path`. Return whether this is all that kubectl would do.

        It is not if the API server refuses the document, or if a client-side apply has left its annotation, which
        kubectl would update. Raises the same errors as `read`.
        """
        status, found = self._send("PATCH", path, {"Content-Type": "application/apply-patch+yaml"}, document)
        return status in (200, 201) and _LAST_APPLIED not in found["metadata"].get("annotations", {})

    def _send(
        self, method: str, path: str, headers: dict[str, str], document: Mapping[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        body = None if document is None else json.dumps(document).encode()
        with closing(self._access.connection(self._timeout)) as connection:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            found: dict[str, Any] = json.loads(response.read() if response.status < 300 else b"{}")
            return response.status, found


def _collection(kind: str, options: dict[str, str]) -> str | None:
    """Return the path of the objects of a kind in the namespace of the options, or of those in all namespaces."""
    if kind in _OF_CLUSTER:
        return "/".join(_OF_CLUSTER[kind])
    if kind not in _NAMESPACED or ("namespace" in options) == ("-A" in options):
        return None
    api, plural = _NAMESPACED[kind]
    return f"{api}/{plural}" if "-A" in options else f"{api}/namespaces/{options['namespace']}/{plural}"


def _without_managed_fields(found: dict[str, Any], request: Request) -> dict[str, Any]:
    if request.shows_managed_fields:
        return found
    metadata = {name: value for name, value in found["metadata"].items() if name != "managedFields"}
    return found | {"metadata": metadata}
