"""Where the API server is, and who we are: from the pod's service account, or from a kubeconfig."""

from __future__ import annotations

import base64
import ssl
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_TOKEN_SECONDS = 10.0  # the kubelet renews it at 80 % of its life, so ten seconds late is early


class AccessError(Exception):
    """The API server cannot be known from what is given."""


class Access(msgspec.Struct, frozen=True):
    """One way to the API server. `token` is asked for every request, because it is renewed in place."""

    server: str
    tls: ssl.SSLContext | bool
    token: Callable[[], str | None]


class TokenFile:
    """A token that somebody else renews."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._read_at = float("-inf")
        self._token = ""

    def __call__(self) -> str | None:
        """The token, at most 10 s old."""
        if self._clock() - self._read_at >= _TOKEN_SECONDS:
            self._token = self._path.read_text().strip()
            self._read_at = self._clock()
        return self._token


def access(environment: Mapping[str, str]) -> Access:
    """By `KUBECONFIG` where it is set, else as the pod that this process runs in."""
    if path := environment.get("KUBECONFIG"):
        return by_kubeconfig(Path(path))
    return in_cluster(environment, SERVICE_ACCOUNT)


def in_cluster(environment: Mapping[str, str], directory: Path) -> Access:
    """As a pod: the address is in the environment, token and CA are mounted."""
    try:
        host, port = environment["KUBERNETES_SERVICE_HOST"], environment["KUBERNETES_SERVICE_PORT"]
        tls = ssl.create_default_context(cafile=directory / "ca.crt")
    except (KeyError, OSError) as error:
        raise AccessError(f"neither KUBECONFIG is set nor is this a pod with a service account: {error}") from error
    host = f"[{host}]" if ":" in host else host
    return Access(f"https://{host}:{port}", tls, TokenFile(directory / "token"))


def by_kubeconfig(path: Path) -> Access:
    """The current context: CA, client certificate, token or token file. No exec plugins."""
    try:
        config = msgspec.yaml.decode(path.read_bytes(), type=dict[str, Any])
        context = _named(config, "context", config["current-context"])
        cluster, user = _named(config, "cluster", context["cluster"]), _named(config, "user", context["user"])
    except (OSError, KeyError, TypeError, msgspec.DecodeError) as error:
        raise AccessError(f"{path} is no kubeconfig with a current context: {error!r}") from error
    return Access(cluster["server"], _tls(cluster, user, path.parent), _token(user, path.parent))


def session(way: Access, connections: int) -> aiohttp.ClientSession:
    """An HTTP session that says who we are with every request."""

    async def bearer(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        if (token := way.token()) is not None:
            request.headers["Authorization"] = f"Bearer {token}"
        return await handler(request)

    connector = aiohttp.TCPConnector(limit=connections, ssl=way.tls, keepalive_timeout=30)
    return aiohttp.ClientSession(connector=connector, middlewares=(bearer,))


def _named(config: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    found = next((item[kind] for item in config[f"{kind}s"] if item["name"] == name), None)
    if found is None:
        raise KeyError(f"{kind} {name}")
    return dict(found)


def _tls(cluster: dict[str, Any], user: dict[str, Any], base: Path) -> ssl.SSLContext | bool:
    if not cluster["server"].startswith("https:"):
        return False
    authority = _bytes(cluster, "certificate-authority", base)
    context = ssl.create_default_context(cadata=authority.decode() if authority else None)
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    certificate, key = _bytes(user, "client-certificate", base), _bytes(user, "client-key", base)
    if certificate and key:
        # The ssl module reads a chain from files only.
        with tempfile.NamedTemporaryFile() as file:
            file.write(certificate + b"\n" + key)
            file.flush()
            context.load_cert_chain(file.name)
    return context


def _token(user: dict[str, Any], base: Path) -> Callable[[], str | None]:
    if "tokenFile" in user:
        return TokenFile(base / user["tokenFile"])
    token = user.get("token")
    return lambda: token


def _bytes(section: dict[str, Any], name: str, base: Path) -> bytes:
    if data := section.get(f"{name}-data"):
        return base64.b64decode(data)
    return (base / section[name]).read_bytes() if section.get(name) else b""
