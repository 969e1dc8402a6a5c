"""Objects of the API server without what may be secret."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..text.redaction import REDACTED, Redactor, is_secret_name
from .fields import child, objects, text

# A value that is shorter is no secret, and would occur in other words.
_SHORTEST_SECRET = 8
# Annotations of Sluice itself: an epoch and hashes.
_OWN_ANNOTATIONS = "sluice.dev/"
# Variables that the operator sets, and that are no secrets.
_OWN_VARIABLES = ("SLUICE_", "POD_", "FIRESTORE_EMULATOR_HOST", "GOOGLE_CLOUD_PROJECT", "LOG_", "INGEST_", "PATH")


def redacted(value: Any, redactor: Redactor) -> Any:
    """Return a value of JSON's types without secrets: environments, annotations, and what the redactor finds."""
    if isinstance(value, str):
        return redactor.text(value)
    if isinstance(value, list):
        return [_redacted_item(before, each, redactor) for before, each in zip(("", *value), value)]
    if not isinstance(value, dict):
        return value
    return {name: _redacted_field(name, each, redactor) for name, each in value.items() if name != "managedFields"}


def _redacted_item(before: Any, value: Any, redactor: Redactor) -> Any:
    """Return an item of a list; the word after an argument such as `--password` is a secret."""
    is_value = isinstance(before, str) and before.startswith("-") and is_secret_name(before.lstrip("-"))
    return REDACTED if is_value and isinstance(value, str) else redacted(value, redactor)


def secret_values(documents: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield the values of variables of pods and jobs that may be secret, so that they can be removed from logs."""
    for document in documents:
        for each in _environments(document):
            name, value = text(each, "name"), each.get("value")
            is_own = name.startswith(_OWN_VARIABLES) and not is_secret_name(name)
            if isinstance(value, str) and len(value) >= _SHORTEST_SECRET and not is_own:
                yield value
                yield from (line for line in value.splitlines() if len(line) >= _SHORTEST_SECRET)


def _environments(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from objects(document, "spec", "pod", "env")
    specs = (child(document, "spec"), child(document, "spec", "template", "spec"))
    for spec in specs:
        for kind in ("containers", "initContainers", "ephemeralContainers"):
            for container in objects(spec, kind):
                yield from objects(container, "env")


def _redacted_field(name: str, value: Any, redactor: Redactor) -> Any:
    if name == "annotations" and isinstance(value, dict):
        return {
            key: redacted(each, redactor) if key.startswith(_OWN_ANNOTATIONS) else REDACTED
            for key, each in value.items()
        }
    if name == "env" and isinstance(value, list):
        return [_redacted_variable(each, redactor) for each in value]
    if isinstance(value, str) and value and is_secret_name(name):
        return REDACTED
    return redacted(value, redactor)


def _redacted_variable(variable: Any, redactor: Redactor) -> Any:
    if isinstance(variable, dict) and variable.get("value"):
        return {**redacted(variable, redactor), "value": REDACTED}
    return redacted(variable, redactor)
