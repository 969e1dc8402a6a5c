"""A mutating webhook on loopback that changes the pods of one namespace, as meshes and policy engines do."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sluice_devcluster.kubectl import Kubectl
from support.certificates import self_signed

Patch = list[dict[str, Any]]  # a JSON patch (RFC 6902)

# What Pod Security's restricted level requires of each container.
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


class PodWebhook:
    """The webhook server. Each created pod gets the patch that is set at that time; an empty patch changes nothing."""

    def __init__(self, patch: Patch) -> None:
        self.patch = patch
        self.pods: list[dict[str, Any]] = []  # the pods as they were requested

    def review(self, review: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to an AdmissionReview."""
        self.pods.append(review["request"]["object"])
        answer: dict[str, Any] = {"uid": review["request"]["uid"], "allowed": True}
        if self.patch:
            answer["patchType"] = "JSONPatch"
            answer["patch"] = base64.b64encode(json.dumps(self.patch).encode()).decode()
        return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": answer}


@contextmanager
def pod_webhook(kubectl: Kubectl, namespace: str, folder: Path, patch: Patch) -> Iterator[PodWebhook]:
    """Serve a webhook that the API server calls for each pod that is created in the namespace."""
    found = PodWebhook(patch)
    certificate, key = self_signed(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(found))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    name = f"pods-of-{namespace}"
    client = {
        "url": f"https://127.0.0.1:{server.server_port}/",
        "caBundle": base64.b64encode(certificate.read_bytes()).decode(),
    }
    kubectl.apply([_configuration(name, namespace, client)])
    try:
        yield found
    finally:
        kubectl("delete", "mutatingwebhookconfiguration", name)
        server.shutdown()
        server.server_close()
        serving.join()


def _configuration(name: str, namespace: str, client: dict[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [
            {
                "name": "pods.example.com",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Fail",
                "clientConfig": client,
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
            }
        ],
    }


def _handler(webhook: PodWebhook) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(webhook.review(review)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    return Handler


def injected_container(name: str, *command: str, **fields: Any) -> dict[str, Any]:
    """Return a container as a webhook injects it."""
    return {"name": name, "image": "ignored", "command": list(command), "securityContext": RESTRICTED, **fields}
