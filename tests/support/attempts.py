"""Requests to the API server that change nothing, each sent with the token of a chosen account."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request
from typing import Any

from sluice_devcluster.kubectl import Kubectl
from support.deadlines import scaled

from .callers import Manifest

GROUPS = {
    "ingestjobs": "sluice.dev/v1alpha1",
    "ingestpauses": "sluice.dev/v1alpha1",
    "clusteringestpauses": "sluice.dev/v1alpha1",
    "ingestpolicies": "sluice.dev/v1alpha1",
    "subjectaccessreviews": "authorization.k8s.io/v1",
    "clusterrolebindings": "rbac.authorization.k8s.io/v1",
    "rolebindings": "rbac.authorization.k8s.io/v1",
    "leases": "coordination.k8s.io/v1",
    "validatingadmissionpolicies": "admissionregistration.k8s.io/v1",
}
METHODS = {"get": "GET", "list": "GET", "create": "POST", "update": "PUT", "patch": "PATCH", "delete": "DELETE"}
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


class Attempt:
    """One request. `resource` may name a subresource after a slash. `namespace` is empty for all namespaces or none."""

    def __init__(self, verb: str, resource: str, namespace: str = "", name: str = "", body: Any = None) -> None:
        self.verb = verb
        self.resource, _, self.subresource = resource.partition("/")
        self.namespace = namespace
        self.name = name
        self.body = body

    @property
    def path(self) -> str:
        """The URL path and query. Writes are dry runs; only a created token is real, and it is not used."""
        group = GROUPS.get(self.resource, "v1")
        parts = ["/apis" if "/" in group else "/api", group]
        parts += ["namespaces", self.namespace] if self.namespace else []
        named = self.name and (self.verb != "create" or self.subresource)
        parts += [self.resource, *([self.name] if named else []), *([self.subresource] if self.subresource else [])]
        dry = self.verb not in ("get", "list") and self.subresource != "token"
        return "/".join(parts) + ("?dryRun=All" if dry else "")

    @property
    def review(self) -> Manifest:
        """The access review that asks whether RBAC allows the request, as `kubectl auth can-i` sends it."""
        attributes = {
            "verb": self.verb,
            "group": GROUPS[self.resource].partition("/")[0] if self.resource in GROUPS else "",
            "resource": self.resource,
            "subresource": self.subresource,
            # The API server authorizes a request for one Namespace as a request in that namespace.
            "namespace": self.namespace or (self.name if self.resource == "namespaces" else ""),
            "name": self.name if self.verb != "create" or self.subresource else "",
        }
        kind = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
        return {**kind, "spec": {"resourceAttributes": attributes}}


class Caller:
    """Sends requests to the API server with one bearer token."""

    def __init__(self, admin: Kubectl, token: str) -> None:
        [cluster] = json.loads(admin("config", "view", "--raw", "--flatten", "-o", "json"))["clusters"]
        self._server = cluster["cluster"]["server"]
        self._tls = ssl.create_default_context(cadata=_decoded(cluster["cluster"]["certificate-authority-data"]))
        self._token = token

    def answer(self, attempt: Attempt) -> str:
        """Send the request; return `yes`, `no` (RBAC denies it), or `refused` (only admission control denies it)."""
        status, said = self._send("POST", REVIEWS, attempt.review)
        assert status == 201, said
        allowed = said["status"]["allowed"]
        status, said = self._send(METHODS[attempt.verb], attempt.path, attempt.body)
        # A conflict comes after all checks of the API server: the leader has renewed the Lease meanwhile.
        assert status < 300 or status in (403, 409), f"{attempt.verb} {attempt.path}: {status} {said}"
        if status == 403:
            return "refused" if allowed else "no"
        assert allowed, f"{attempt.path} works although RBAC is said not to allow it"
        return "yes"

    def _send(self, method: str, path: str, body: Any) -> tuple[int, dict[str, Any]]:
        # Custom resources have no strategic merge, which changes one container of several.
        merge = "strategic-merge-patch" if path.startswith("/api/") else "merge-patch"
        kind = f"application/{merge}+json" if method == "PATCH" else "application/json"
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": kind}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self._server + path, data, headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=scaled(10), context=self._tls) as answer:  # noqa: S310
                text = answer.read()
                return answer.status, json.loads(text) if "json" in answer.headers["Content-Type"] else {}
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()
