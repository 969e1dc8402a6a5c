"""The SBOM of each image."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from sluice_manifests.base_images import BaseImage
from sluice_manifests.bills_of_materials import ImageContents, Pin, bill_of_materials, pins

ROOT = Path(__file__).parents[3]
AT = datetime(2026, 11, 29, tzinfo=UTC)
DIGEST = "ab" * 32


@pytest.mark.parametrize("name", ["operator", "runtime"])
def test_every_package_of_the_lock_file_has_a_version_and_hashes(name: str) -> None:
    text = (ROOT / f"requirements/{name}.txt").read_text()
    found = pins(text)
    assert len(found) == text.count("==") > 10
    assert all(pin.hashes for pin in found)
    assert sum(len(pin.hashes) for pin in found) == text.count("--hash=sha256:")


def test_an_extra_and_a_marker_are_no_part_of_the_package() -> None:
    text = f'a-b[x]==1.2 ; python_version < "3.12" \\\n    --hash=sha256:{DIGEST}\n    # via\n    #   c==9\n'
    assert pins(text) == (Pin("a-b", "1.2", (DIGEST,)),)


def contents(base: BaseImage) -> ImageContents:
    return ImageContents("sluice-operator", "1.2.3", base, ("sluice-contract",), (Pin("Aio_HTTP", "3.14", (DIGEST,)),))


@pytest.mark.parametrize("digest", ["", f"sha256:{DIGEST}"])
def test_the_document_is_valid_and_names_image_base_projects_and_packages(digest: str) -> None:
    text = bill_of_materials(contents(BaseImage("PYTHON_BASE_IMAGE", "host:5000/python:3.11", digest)), AT)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    assert document["metadata"]["component"]["name"] == "sluice-operator"
    assert document["metadata"]["timestamp"] == "2026-11-29T00:00:00+00:00"
    components = {each["name"]: each for each in document["components"]}
    assert components["Aio_HTTP"]["purl"] == "pkg:pypi/aio-http@3.14"
    assert components["Aio_HTTP"]["hashes"] == [{"alg": "SHA-256", "content": DIGEST}]
    assert components["sluice-contract"]["version"] == "1.2.3"
    assert components["host:5000/python"]["version"] == "3.11"
    assert ("hashes" in components["host:5000/python"]) == bool(digest)


def test_the_same_contents_give_the_same_document() -> None:
    base = BaseImage("PYTHON_BASE_IMAGE", "python:3.11")
    assert bill_of_materials(contents(base), AT) == bill_of_materials(contents(base), AT)
