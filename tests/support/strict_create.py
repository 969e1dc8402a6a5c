"""Requests that ask a real API server whether it would create an object, with the text that a user has written."""

from __future__ import annotations

import base64
import json
import ssl
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from support.deadlines import scaled

_AT_ONCE = 12


class StrictCreator:
    """Sends documents to an API server, as dry runs that refuse unknown fields."""

    def __init__(self, kubeconfig: Path, path: str, content_type: str = "application/yaml") -> None:
        """`path` is the collection of the objects, such as /apis/GROUP/VERSION/namespaces/NAMESPACE/PLURAL."""
        found = yaml.safe_load(kubeconfig.read_text())
        cluster, user = found["clusters"][0]["cluster"], found["users"][0]["user"]
        self._url = f"{cluster['server']}{path}?dryRun=All&fieldValidation=Strict"
        self._headers = {"Content-Type": content_type}
        self._tls = ssl.create_default_context(cadata=_decoded(cluster["certificate-authority-data"]))
        with tempfile.NamedTemporaryFile("w") as pair:  # ssl reads a pair only from a file
            pair.write(_decoded(user["client-certificate-data"]) + _decoded(user["client-key-data"]))
            pair.flush()
            self._tls.load_cert_chain(pair.name)

    def refusals(self, texts: Iterable[str]) -> dict[str, str]:
        """Return the message of the API server's refusal for each text; empty for one that it accepts."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return dict(pool.map(lambda text: (text, self._refusal(text)), texts))

    def answers(self, texts: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return the API server's refusal of each text, as a Status object; an empty one for a text that it accepts."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return dict(pool.map(lambda text: (text, self._answer(text)), texts))

    def _refusal(self, text: str) -> str:
        return str(self._answer(text).get("message", ""))

    def _answer(self, text: str) -> dict[str, Any]:
        request = urllib.request.Request(self._url, text.encode(), self._headers, method="POST")  # noqa: S310  always https
        try:
            urllib.request.urlopen(request, context=self._tls, timeout=scaled(30)).close()  # noqa: S310
        except urllib.error.HTTPError as error:
            status: dict[str, Any] = json.load(error)
            return status
        return {}


def _decoded(data: str) -> str:
    return base64.b64decode(data).decode()
