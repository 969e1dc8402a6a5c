"""The API server's judgement of documents: `kubectl apply --dry-run=server`."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from ..model.fields import text
from ..model.plan.plan import Judgement
from ..transport import (
    Kubectl,
    NoAccessError,
    NotFoundError,
    RefusedError,
    Request,
    Result,
    TransportError,
    output_of,
)

_APPLY = ("apply", "--dry-run=server", "--validate=strict", "-o", "json", "-f", "-")
# kubectl's warnings, such as that about objects that were created in another way.
_WARNINGS = re.compile(r"^Warning: .*\n?", re.MULTILINE)
_AT_ONCE = 8
_NO_ANSWER = re.compile(r"Unable to connect|dial tcp|was refused - did you|[Tt]imeout|no such host|EOF")
_NO_DRY_RUN = "does not support dry run"


class DryRun:
    """A dry run of documents, which works while the plugin reads other things."""

    def __init__(self, kubectl: Kubectl, documents: Sequence[dict[str, Any]], options: Sequence[str] = ()) -> None:
        """Start it. `options` are those of kubectl apply, such as `--server-side`."""
        self._kubectl = kubectl
        self._documents = list(documents)
        self._options = list(options)
        # One document after the other: of a list, kubectl would check the fields itself, and find less.
        self._request = self._start(self._documents)

    def judgements(self, own_namespaces: Sequence[str] = ()) -> list[Judgement]:
        """Return what the API server says about each document. `own_namespaces` are those that the files create.

        Raises:
            TransportError: the API server does not answer.
        """
        result = self._request.result()
        if len(self._documents) == 1:
            return [_judgement(result, self._documents[0], own_namespaces)]
        if result.status == 0:
            return [Judgement(result=each) for each in _items(result.output)]
        found: list[Judgement] = []
        for start in range(0, len(self._documents), _AT_ONCE):  # one by one, to learn which of them is refused
            batch = self._documents[start : start + _AT_ONCE]
            results = [each.result() for each in [self._start([document]) for document in batch]]
            found += [_judgement(each, document, own_namespaces) for each, document in zip(results, batch)]
        return found

    def discard(self) -> None:
        """End the process if nothing has waited for it."""
        self._request.discard()

    def _start(self, documents: Sequence[dict[str, Any]]) -> Request:
        return self._kubectl.start(*_APPLY, *self._options, text="\n".join(map(json.dumps, documents)))


def _items(output: str) -> list[dict[str, Any]]:
    found: dict[str, Any] = json.loads(output)
    items: list[dict[str, Any]] = found["items"] if found.get("kind") == "List" else [found]
    return items


def _judgement(result: Result, document: dict[str, Any], own_namespaces: Sequence[str]) -> Judgement:
    """Return what a process says about one document. Raises TransportError if the API server did not answer."""
    shown = result._replace(errors=_WARNINGS.sub("", result.errors).strip())
    try:
        return Judgement(result=_items(output_of(shown))[0])
    except NoAccessError as error:
        return Judgement(unseen=_reason(str(error)))
    except NotFoundError as error:
        return _judgement_without_namespace(str(error), document, own_namespaces)
    except TransportError as error:
        if _NO_DRY_RUN in str(error):
            return Judgement(unseen="an admission webhook does not support dry runs")
        if not isinstance(error, RefusedError) and _NO_ANSWER.search(str(error)):
            raise
        return Judgement(refusal=shown.errors)


def _judgement_without_namespace(message: str, document: dict[str, Any], own_namespaces: Sequence[str]) -> Judgement:
    namespace = text(document, "metadata", "namespace")
    if f'namespaces "{namespace}" not found' not in message:
        return Judgement(refusal=message)
    if namespace in own_namespaces:
        return Judgement(unseen=f"namespace {namespace} does not exist yet")
    return Judgement(refusal=f"There is no namespace {namespace}: create it first, or name another one.")


def _reason(message: str) -> str:
    """Return which permission is missing, such as `you may not patch ingestjobs.sluice.dev`."""
    found = re.search(r'cannot (\w+) resource "([^"]+)"', message)
    return f"you may not {found[1]} {found[2]}" if found is not None else message
