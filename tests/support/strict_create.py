"""Requests that ask a real API server whether it would create an object, with the text that a user has written."""

from __future__ import annotations

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

from support.certificate_access import access_of
from support.deadlines import scaled

_AT_ONCE = 12


class StrictCreator:
    """Sends documents to an API server, as dry runs that refuse unknown fields."""

    def __init__(self, kubeconfig: Path, path: str, content_type: str = "application/yaml") -> None:
        """`path` is the collection of the objects, such as /apis/GROUP/VERSION/namespaces/NAMESPACE/PLURAL."""
        self._access = access_of(kubeconfig)
        self._path = f"{path}?dryRun=All&fieldValidation=Strict"
        self._headers = {"Content-Type": content_type}

    def refusals(self, texts: Iterable[str]) -> dict[str, str]:
        """Return the message of the API server's refusal for each text; empty for one that it accepts."""
        return {text: str(answer.get("message", "")) for text, answer in self.answers(texts).items()}

    def answers(self, texts: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return the API server's refusal of each text, as a Status object; an empty one for a text that it accepts."""
        all_texts = list(texts)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            parts = pool.map(self._answers_on_one_connection, (all_texts[n::_AT_ONCE] for n in range(_AT_ONCE)))
            found = {text: answer for part in parts for text, answer in part}
        return {text: found[text] for text in all_texts}

    def _answers_on_one_connection(self, texts: list[str]) -> list[tuple[str, dict[str, Any]]]:
        """Return each text with its answer. To open a connection for each text would take longer than its request."""
        with closing(self._access.connection(scaled(30))) as connection:
            return [(text, self._answer(connection, text)) for text in texts]

    def _answer(self, connection: HTTPSConnection, text: str) -> dict[str, Any]:
        connection.request("POST", self._path, text.encode(), self._headers)
        response = connection.getresponse()
        answer: dict[str, Any] = json.loads(response.read())
        return {} if response.status < 300 else answer
