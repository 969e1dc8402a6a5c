"""Documents of all kinds, generated from their schemas: valid ones, changed in one place after the other."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sluice_contract.kinds import CLUSTER_INGEST_PAUSE, INGEST_JOB, INGEST_PAUSE, INGEST_POLICY, ResourceKind
from sluice_contract.schema import open_api_schema
from support import schema_values
from support.job_specs import SPECS
from support.schema_values import TIME, Path, Schema

Document = dict[str, Any]

_SELECTOR: Document = {
    "matchLabels": {"a": "b"},
    "matchExpressions": [{"key": "desk", "operator": "In", "values": ["rates"]}],
}
_BOUNDS: Document = {"symbols": 1, "writesPerSecond": 1, "writesPerDay": 20_000}
_PAUSE: Document = {"symbols": ["SPY"], "reason": "a", "until": TIME}
_JOB: Document = {
    "tenant": "acme",
    "symbols": ["SPY"],
    "channels": ["quotes"],
    "limits": {"burst": 1},
    "heartbeat": {"intervalSeconds": 15},
    "http": {},
    "firestore": {},
    "autoStop": {},
}
_SPECS: dict[str, list[Document]] = {
    INGEST_JOB.name: [_JOB | {"provider": name.replace("claim", "replay")} | spec for name, spec in SPECS.items()],
    INGEST_PAUSE.name: [_PAUSE | {"jobs": ["us"]}, _PAUSE | {"jobSelector": _SELECTOR}],
    CLUSTER_INGEST_PAUSE.name: [_PAUSE | {"providers": [{"name": "alpaca", "feeds": ["iex"]}]}],
    INGEST_POLICY.name: [
        {
            "namespaceSelector": _SELECTOR,
            "mode": "Warn",
            "message": "a",
            "dryRun": True,
            "providers": [{"name": "alpaca", "feeds": ["iex"]}],
            "hosts": ["example.com"],
            "perJob": _BOUNDS,
            "perNamespace": _BOUNDS,
        }
    ],
}
# Values for any place beside those of the place's own schema.
_ODD_VALUES: tuple[Any, ...] = ({"unheard": 1}, [None], ["SPY", "SPY"], [True], False, "ON", 0.5)
_METADATA: tuple[tuple[str, Any], ...] = (
    ("name", None), ("name", "A"), ("name", "a_b"), ("name", ""), ("name", "a" * 64), ("name", "a" * 254), ("name", 7),
    ("name", "a\n"), ("namespace", None), ("labels", {"a b": "c"}), ("labels", {"a": "b c"}), ("labels", {"a": None}),
    ("labels", {"a": True}), ("labels", []), ("annotations", {"a": "b c"}), ("annotations", {"a": 1}),
    ("generateName", "a-"), ("finalizers", ["example.com/a"]), ("unheard", 1),
)  # fmt: skip


@dataclass(frozen=True)
class GeneratedDocument:
    """A document, and a text that says how it differs from a valid one."""

    kind: ResourceKind
    change: str
    content: Document


def valid_documents(kind: ResourceKind, namespace: str) -> list[Document]:
    """Return documents of a kind that together have every field of its spec."""
    metadata = {"name": "generated"} | ({"namespace": namespace} if kind.is_namespaced else {})
    header = {"apiVersion": "sluice.dev/v1alpha1", "kind": kind.name, "metadata": metadata}
    return [header | {"spec": spec} for spec in _SPECS[kind.name]]


def generated_documents(kind: ResourceKind, namespace: str, at_most: int) -> list[GeneratedDocument]:
    """Return documents that differ from a valid one in one place each, always the same selection of all of them."""
    found = list(_changed_documents(kind, namespace))
    random.Random(kind.name).shuffle(found)
    return found[:at_most]


def _changed_documents(kind: ResourceKind, namespace: str) -> Iterator[GeneratedDocument]:
    documents = valid_documents(kind, namespace)
    for number, document in enumerate(documents):
        yield GeneratedDocument(kind, f"document {number}", document)
    for name, value in _METADATA:
        yield _with_value(kind, documents[0], ("metadata", name), value)
    for name in ("apiVersion", "kind", "metadata", "spec"):
        yield _without(kind, documents[0], (name,))
    yield _with_value(kind, documents[0], ("status",), None)
    yield _with_value(kind, documents[0], ("status",), {"conditions": [{"type": 1}]})
    yield _with_value(kind, documents[0], ("status",), {"unheard": 1})
    yield _with_value(kind, documents[0], ("unheard",), 1)
    for place, schema in schema_values.places({"properties": {"spec": open_api_schema(kind)["properties"]["spec"]}}):
        document = next(each for each in documents if _has(each, place[:-1]))
        for value in (*schema_values.values(schema), *_ODD_VALUES, *_values_at_bound(schema)):
            yield _with_value(kind, document, place, value)
        if _has(document, place):
            yield _without(kind, document, place)


def _values_at_bound(schema: Schema) -> tuple[Any, ...]:
    return schema_values.values_at_and_over_bound(schema) or ()


def _has(document: Any, place: Path) -> bool:
    for step in place:
        try:
            document = document[step]
        except (LookupError, TypeError):
            return False
    return True


def _parent(document: Any, place: Path) -> Any:
    for step in place[:-1]:
        document = document[step]
    return document


def _with_value(kind: ResourceKind, document: Document, place: Path, value: Any) -> GeneratedDocument:
    changed = copy.deepcopy(document)
    _parent(changed, place)[place[-1]] = value
    return GeneratedDocument(kind, f"{'.'.join(map(str, place))} = {str(value)[:60]!r}", changed)


def _without(kind: ResourceKind, document: Document, place: Path) -> GeneratedDocument:
    changed = copy.deepcopy(document)
    del _parent(changed, place)[place[-1]]
    return GeneratedDocument(kind, f"without {'.'.join(map(str, place))}", changed)
