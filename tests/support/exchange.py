"""The Alpaca simulator as a pod in the cluster, behind TLS, so that ingest pods connect to it as they do to Alpaca."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sluice_devcluster.certificates import CertificateAuthority, Identity
from sluice_devcluster.kubectl import Kubectl
from sluice_simulators.alpaca.faults import Fault
from support.site import Tenant, eventually

IMAGE = "sluice-e2e-alpaca:local"
NAME = "alpaca"
PORT = 443
QUOTES_PER_SECOND = 200
# The namespace of the job whose provider falls silent, and the number of messages before that: 220 s of them, as with
# fewer, the freshness monitor would wait even longer before it reports the silence.
MUTED = "tenant-muted"
MUTE_AFTER = 44_000
_FEED = ["--quotes-per-second", str(QUOTES_PER_SECOND), "--batch", "4"]
_TLS = ["--tls-cert", "/tls/tls.crt", "--tls-key", "/tls/tls.key"]


class AlpacaInCluster:
    """One server in its own namespace. It accepts the key pair key/secret and sends 200 quotes a second."""

    def __init__(self, kubectl: Kubectl, namespace: str) -> None:
        """Start the server and wait until its Deployment is ready."""
        self._kubectl = kubectl
        self.namespace = namespace
        self._host = f"{NAME}.{namespace}.svc"
        authority = CertificateAuthority("exchange")
        self._authority = authority.certificate.public_bytes(Encoding.PEM).decode()
        kubectl.apply([_namespace(namespace), _key_pair(authority, self._host, namespace)])
        kubectl.apply([_service(namespace), _deployment(namespace)])
        kubectl("rollout", "status", f"deployment/{NAME}", "-n", namespace, "--timeout=60s")

    @property
    def ca_config_map(self) -> dict[str, Any]:
        """The ConfigMap with the certificate authority of the server, without a namespace."""
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "exchange-ca"},
            "data": {"ca.crt": self._authority},
        }

    @property
    def spec(self) -> dict[str, Any]:
        """The spec fields of a job on this server; it needs the Secret `alpaca` and the ConfigMap `exchange-ca`."""
        return self.spec_of()

    def spec_of(self, feed: str = "iex", engine: str = "native", *, rest: bool = False) -> dict[str, Any]:
        """Return `spec` for another feed or engine; with `rest`, it also has the URLs of the REST interfaces."""
        urls = dict.fromkeys(("dataURL", "tradingURL"), f"https://{self._host}:{PORT}") if rest else {}
        return {
            "provider": "alpaca",
            "alpaca": {
                **urls,
                "feed": feed,
                "engine": engine,
                "streamURL": f"wss://{self._host}:{PORT}/v2/{feed}",
                "credentialsSecretRef": {"name": "alpaca"},
                "caConfigMapRef": {"name": "exchange-ca"},
            },
        }

    def record(self) -> dict[str, Any]:
        """Return the server's record of connections and requests; see sluice_simulators.alpaca.record."""
        found: dict[str, Any] = json.loads(self._kubectl("get", "--raw", self._route("_record")))
        return found

    def script(self, *faults: Fault) -> None:
        """Apply these faults to the next connection."""
        self._post("_faults", {"faults": faults})

    def accept_key_pair(self, key: str, secret: str) -> None:
        """Accept another key pair."""
        self._post("_accounts", {"key": key, "secret": secret})

    def send_status(self, symbol: str, code: str) -> None:
        """Send a trading status of the symbol, stamped now; `code` is, for example, H (halted) or T (trading again)."""
        self._post("_send", {"messages": [{"T": "s", "S": symbol, "sc": code, "sm": "", "rc": "", "rm": "", "z": "C"}]})

    def _post(self, route: str, body: dict[str, Any]) -> None:
        self._kubectl("create", "--raw", self._route(route), "-f", "-", text=msgspec.json.encode(body).decode())

    def _route(self, name: str) -> str:
        """Return the path of a route through the API server's service proxy."""
        return f"/api/v1/namespaces/{self.namespace}/services/https:{NAME}:{PORT}/proxy/{name}"

    @property
    def subscribed(self) -> set[str]:
        """The symbols whose quotes are subscribed now, over all connections."""
        open_now = [each for each in self.record()["connections"] if each["closed"] is None]
        return {symbol for each in open_now for symbol in each["subscription"].get("quotes", ())}

    def connections(self) -> list[dict[str, Any]]:
        """All connections, in the order in which they were opened.

        Raises:
            AssertionError: two of them overlapped.
        """
        record = self.record()
        assert record["concurrent_max"] <= 1, record["connections"]
        found: list[dict[str, Any]] = record["connections"]
        return found


def streaming(tenant: Tenant, upstream: AlpacaInCluster) -> dict[str, Any]:
    """Apply a job that streams from this server, wait until its quotes are in Firestore, and return its status."""
    tenant.apply(**upstream.spec)
    status = tenant.settled("Streaming", seconds=30)
    eventually(lambda: set(tenant.quotes()) == {"SPY", "AAPL"})
    return status


def _namespace(name: str) -> dict[str, Any]:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _key_pair(authority: CertificateAuthority, host: str, namespace: str) -> dict[str, Any]:
    certificate, key = authority.issue(Identity(NAME, hosts=(host,)))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": NAME, "namespace": namespace},
        "stringData": {"tls.crt": certificate.public_bytes(Encoding.PEM).decode(), "tls.key": private},
    }


def _service(namespace: str) -> dict[str, Any]:
    ports = [{"name": "https", "port": PORT, "targetPort": 8443}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME, "namespace": namespace},
        "spec": {"selector": {"app": NAME}, "ports": ports},
    }


def _deployment(namespace: str) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": NAME}}, "spec": _pod()}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": NAME, "namespace": namespace},
        "spec": {"selector": {"matchLabels": {"app": NAME}}, "template": template},
    }


def _pod() -> dict[str, Any]:
    ids = {"runAsNonRoot": True, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532}
    return {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {**ids, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [_container()],
        "volumes": [{"name": "tls", "secret": {"secretName": NAME, "defaultMode": 0o440}}],
    }


def _container() -> dict[str, Any]:
    return {
        "name": NAME,
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "command": ["python", "-m", "sluice_simulators.alpaca", "--host", "0.0.0.0", "--port", "8443", *_FEED, *_TLS],
        "ports": [{"containerPort": 8443}],
        "readinessProbe": {"httpGet": {"path": "/_record", "port": 8443, "scheme": "HTTPS"}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tls", "mountPath": "/tls", "readOnly": True}],
    }
