"""A mutating webhook on loopback that the API server calls for each pod that is created in some namespaces."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sluice_devcluster.kubectl import Kubectl
from support.certificates import self_signed

Manifest = dict[str, Any]
Patch = list[dict[str, Any]]  # a JSON patch (RFC 6902)
PatchOfPod = Callable[[Manifest], Patch]


@contextmanager
def mutating_webhook(
    kubectl: Kubectl, name: str, namespace_labels: Mapping[str, str], folder: Path, patch_of_pod: PatchOfPod
) -> Iterator[None]:
    """Serve a webhook of this name while the context lasts. Its certificate is written to `folder`.

    It applies to namespaces with these labels. A pod gets the patch that `patch_of_pod` returns for its manifest; an
    empty patch changes nothing.
    """
    certificate, key = self_signed(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(patch_of_pod))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    client = {
        "url": f"https://127.0.0.1:{server.server_port}/",
        "caBundle": base64.b64encode(certificate.read_bytes()).decode(),
    }
    kubectl.apply([_configuration(name, namespace_labels, client)])
    try:
        yield
    finally:
        kubectl("delete", "mutatingwebhookconfiguration", name)
        server.shutdown()
        server.server_close()
        serving.join()


def _configuration(name: str, namespace_labels: Mapping[str, str], client: dict[str, str]) -> Manifest:
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
                "namespaceSelector": {"matchLabels": dict(namespace_labels)},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
            }
        ],
    }


def _handler(patch_of_pod: PatchOfPod) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Answer an AdmissionReview."""
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["request"]
            answer: Manifest = {"uid": request["uid"], "allowed": True}
            if patch := patch_of_pod(request["object"]):
                answer["patchType"] = "JSONPatch"
                answer["patch"] = base64.b64encode(json.dumps(patch).encode()).decode()
            review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": answer}
            body = json.dumps(review).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    return Handler
