"""The IngestJob in a file that a user supplies: YAML with one or more documents, or JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from sluice_contract import identity

from .kubernetes_yaml import YamlDocument, YamlError, parse_yaml

_Objects = list[YamlDocument]


class JobDocumentError(ValueError):
    """A text has no IngestJob, or more than one. The message is a clause about the file."""


def parse_job_document(text: str) -> YamlDocument:
    """Return the IngestJob in a text.

    Empty documents and objects of other kinds are skipped. A `List` is its items. If the text has only one object, it
    is returned whatever its kind is: its validation explains what is wrong.

    Raises:
        JobDocumentError: the text is not YAML or JSON, or it does not have exactly one IngestJob.
    """
    objects = [each for document in _parse_documents(text) for each in _items_of_list(document)]
    for each in objects:
        if not isinstance(each.value, dict):
            raise JobDocumentError("it has a document that is not a mapping; write apiVersion, kind, metadata and spec")
    jobs = [each for each in objects if _is_job(each.value)]
    if len(jobs) > 1:
        names = [_name(each.value) for each in jobs]
        raise JobDocumentError(
            f"it has {len(jobs)} IngestJobs: {', '.join(names[:-1])} and {names[-1]}; keep one job in each file"
        )
    if not jobs and len(objects) != 1:
        kinds = sorted({str(each.value.get("kind", "an object without a kind")) for each in objects})
        found = f"it has only {', '.join(kinds)}" if kinds else "it is empty"
        raise JobDocumentError(f"it has no IngestJob: {found}; add a document with kind: IngestJob")
    return jobs[0] if jobs else objects[0]


def _parse_documents(text: str) -> list[YamlDocument]:
    # JSON comes first, as in kubectl: it allows tabs and escaped surrogates, which YAML does not.
    if text.lstrip().startswith("{"):
        try:
            return [YamlDocument(msgspec.json.decode(text, type=dict), {}, {})]
        except msgspec.DecodeError:
            pass
    try:
        return parse_yaml(text)
    except YamlError as error:
        raise JobDocumentError(f"it is not a valid YAML document: {error}") from None


def _items_of_list(document: YamlDocument) -> _Objects:
    value = document.value
    if not isinstance(value, dict) or value.get("kind") not in ("List", f"{identity.KIND}List"):
        return [document]
    items = value.get("items") or []
    if not isinstance(items, list):
        raise JobDocumentError(f"items of its {value['kind']} is not a list; write a list of objects")
    return [
        YamlDocument(item, _below(document.scalar_texts, index), _below(document.key_texts, index))
        for index, item in enumerate(items)
    ]


def _below(texts: dict[tuple[str | int, ...], str], index: int) -> dict[tuple[str | int, ...], str]:
    return {path[2:]: text for path, text in texts.items() if path[:2] == ("items", index)}


def _is_job(value: dict[str, Any]) -> bool:
    """Return whether an object is an IngestJob. Without a cluster, `kind` may be absent."""
    return value.get("kind") == identity.KIND or ("kind" not in value and "spec" in value)


def _name(value: dict[str, Any]) -> str:
    metadata = value.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    return f"{metadata.get('namespace') or 'default'}/{metadata.get('name') or '(no name)'}"
