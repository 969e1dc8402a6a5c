"""The annotations for Artifact Hub."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from sluice_contract.kinds import KINDS
from sluice_manifests.catalog import (
    LICENSE,
    changes_of_version,
    chart_annotations,
    read_chart_annotations,
    section_of_version,
)
from sluice_manifests.errors import ManifestsError

ROOT = Path(__file__).parents[3]
SAMPLES = [{"kind": kind.name, "metadata": {"name": "a"}} for kind in KINDS]
CHANGELOG = """\
# Changelog

## Unreleased

### Added

* Not yet.

## 1.2.0-rc.1 - 2026-12-01

### Fixed

* An earlier one.

## 1.2.0 - 2026-12-10

### Added

* A [page](docs/a.md) with
  two lines.
* **Renamed:** `a` is `b`.

### Security

* A fix.

## 1.1.0

"""


def test_the_changes_are_those_of_the_version_s_section() -> None:
    assert changes_of_version(CHANGELOG, "1.2.0") == [
        {"kind": "added", "description": "A page with two lines."},
        {"kind": "added", "description": "Renamed: `a` is `b`."},
        {"kind": "security", "description": "A fix."},
    ]
    assert changes_of_version(CHANGELOG, "1.2.0-rc.1") == [{"kind": "fixed", "description": "An earlier one."}]
    assert changes_of_version(CHANGELOG, "1.1.0") == changes_of_version(CHANGELOG, "9.9.9") == []
    assert section_of_version(CHANGELOG, "9.9.9") is None


def test_a_heading_that_artifact_hub_does_not_know_is_an_error() -> None:
    with pytest.raises(ManifestsError, match=r"has the heading Improved in section 1\.2\.0: use one of Added, Changed"):
        changes_of_version(CHANGELOG.replace("### Security", "### Improved"), "1.2.0")


def test_each_kind_is_listed_with_its_definition_and_an_example() -> None:
    found = chart_annotations(SAMPLES, CHANGELOG, "1.2.0")
    kinds = yaml.safe_load(found["artifacthub.io/crds"])
    assert [each["kind"] for each in kinds] == [kind.name for kind in KINDS]
    assert all(each.keys() == {"kind", "version", "name", "displayName", "description"} for each in kinds)
    assert kinds[0]["name"] == "ingestjobs.sluice.dev"
    assert kinds[0]["displayName"] == "Ingest Job"
    assert yaml.safe_load(found["artifacthub.io/crdsExamples"]) == SAMPLES
    assert yaml.safe_load(found["artifacthub.io/changes"])[0]["kind"] == "added"
    assert all(isinstance(text, str) for text in found.values())


def test_a_kind_without_a_sample_is_an_error() -> None:
    with pytest.raises(ManifestsError, match="manifests/samples has no IngestPolicy: add one"):
        chart_annotations(SAMPLES[:-1], CHANGELOG, "1.2.0")


def test_the_changes_are_absent_until_the_changelog_has_the_version() -> None:
    assert "artifacthub.io/changes" not in chart_annotations(SAMPLES, CHANGELOG, "1.3.0")


def test_a_version_with_a_suffix_is_a_prerelease() -> None:
    assert chart_annotations(SAMPLES, CHANGELOG, "1.2.0-rc.1")["artifacthub.io/prerelease"] == "true"
    assert chart_annotations(SAMPLES, CHANGELOG, "1.2.0")["artifacthub.io/prerelease"] == "false"


def test_the_examples_are_samples_of_this_tree_and_the_license_is_that_of_its_file() -> None:
    found = read_chart_annotations(ROOT, "0.1.0")
    names = [each["metadata"]["name"] for each in yaml.safe_load(found["artifacthub.io/crdsExamples"])]
    assert names == ["us-equities", "us-equities", "sip-incident", "tenants"]
    assert found["artifacthub.io/license"] == LICENSE == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()[:200]
