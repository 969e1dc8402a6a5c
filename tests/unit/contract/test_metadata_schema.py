from typing import Any

import pytest

from sluice_contract.validation import find_mistakes

SPEC = {"tenant": "acme", "provider": "synthetic", "symbols": ["SPY"]}


@pytest.mark.parametrize(
    "metadata",
    [
        {"name": "us.east-1", "namespace": "acme", "labels": {"a.b/c": "D_e"}, "annotations": {"a": "any text\n"}},
        {"name": "us", "uid": "u", "resourceVersion": "7", "creationTimestamp": "t", "managedFields": [{"a": 1}]},
        {"name": "us", "namespace": "", "labels": None},
    ],
)
def test_metadata_that_kubernetes_accepts_is_valid(metadata: dict[str, Any]) -> None:
    assert find_mistakes({"metadata": metadata, "spec": SPEC}) == []


@pytest.mark.parametrize(
    ("metadata", "beginning"),
    [
        ({}, "metadata.name is missing: set it"),
        ({"name": "a.-b"}, "metadata.name is 'a.-b': use lower-case letters, digits, and - and . between them"),
        ({"name": "us\n"}, "metadata.name is 'us\\n': use lower-case letters"),
        ({"name": "us", "namespace": "a.b"}, "metadata.namespace is 'a.b': use lower-case letters, digits, and -"),
        ({"name": "us", "labels": {"a": "b c"}}, "metadata.labels.a is 'b c': use letters, digits, and -"),
        ({"name": "us", "labels": {"a b": "c"}}, "metadata.labels is 'a b': write the key like example.com/name"),
        ({"name": "us", "annotations": {"a": 1}}, "metadata.annotations.a is 1: write a string"),
        ({"name": "us", "labelz": {}}, "unknown field metadata.labelz; did you mean labels?"),
    ],
)
def test_metadata_that_kubernetes_refuses_is_an_error(metadata: dict[str, Any], beginning: str) -> None:
    [sentence] = find_mistakes({"metadata": metadata, "spec": SPEC})
    assert sentence.startswith(beginning)
