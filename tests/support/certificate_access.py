"""Connections to an API server with the client certificate of a kubeconfig, without a client library."""

from __future__ import annotations

import base64
import ssl
import tempfile
from http.client import HTTPSConnection
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import yaml


class CertificateAccess(NamedTuple):
    """The address of an API server and the TLS settings with which it knows the user."""

    server: str  # host and port
    tls: ssl.SSLContext

    def connection(self, timeout: float) -> HTTPSConnection:
        """Return a connection, which the first request opens. Each of its operations ends after `timeout` seconds."""
        return HTTPSConnection(self.server, context=self.tls, timeout=timeout)


def access_of(kubeconfig: Path) -> CertificateAccess:
    """Return the access that a kubeconfig describes.

    Raises:
        ValueError: it does not have exactly one cluster and one user.
        KeyError: its user has no client certificate, or its cluster no certificate authority, in the file itself.
    """
    found = yaml.safe_load(kubeconfig.read_text())
    [each_cluster], [each_user] = found["clusters"], found["users"]
    cluster, user = each_cluster["cluster"], each_user["user"]
    tls = ssl.create_default_context(cadata=_decoded(cluster["certificate-authority-data"]))
    with tempfile.NamedTemporaryFile("w") as pair:  # ssl reads a pair only from a file
        pair.write(_decoded(user["client-certificate-data"]) + _decoded(user["client-key-data"]))
        pair.flush()
        tls.load_cert_chain(pair.name)
    return CertificateAccess(urlsplit(cluster["server"]).netloc, tls)


def _decoded(data: str) -> str:
    return base64.b64decode(data).decode()
