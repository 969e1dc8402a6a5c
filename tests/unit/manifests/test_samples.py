"""The samples: each document of a kind of Sluice names its JSON Schema for editors, and is valid by it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator

FOLDER = Path(__file__).parents[3] / "manifests/samples"
SAMPLES = sorted(FOLDER.glob("*.yaml"))
DOCUMENTS = [(path, text) for path in SAMPLES for text in re.split(r"^---\n", path.read_text(), flags=re.MULTILINE)]
OWN = [(path, text) for path, text in DOCUMENTS if "\napiVersion: sluice.dev/" in f"\n{text}"]
SCHEMA_LINE = re.compile(r"^# yaml-language-server: \$schema=(\S+)\napiVersion: ", re.MULTILINE)


@pytest.mark.parametrize(("path", "text"), OWN, ids=lambda value: value.name if isinstance(value, Path) else "")
def test_a_document_names_the_schema_of_its_kind_and_is_valid(path: Path, text: str) -> None:
    document = yaml.safe_load(text)
    [schema_path] = SCHEMA_LINE.findall(text)
    schema = json.loads((path.parent / schema_path).read_text())
    assert schema["properties"]["kind"]["enum"] == [document["kind"]]
    assert [error.message for error in Draft7Validator(schema).iter_errors(document)] == []


def test_every_kind_has_a_sample() -> None:
    kinds = {yaml.safe_load(text)["kind"] for _, text in OWN}
    assert kinds == {"IngestJob", "IngestPause", "ClusterIngestPause", "IngestPolicy"}


def test_a_document_of_another_kind_names_no_schema() -> None:
    others = [text for each in DOCUMENTS if each not in OWN for text in each[1:]]
    assert others
    assert not any("yaml-language-server" in text for text in others)
