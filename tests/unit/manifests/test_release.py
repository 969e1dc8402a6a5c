"""The problems that prevent a release."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sluice_manifests import release, tools
from sluice_manifests.errors import ManifestsError

CHANGELOG = "# Changelog\n\n## Unreleased\n\n## 0.2.0 - 2026-01-02\n\n### Added\n\n* A thing.\n\n## 0.1.0\n\n"
GO_MOD = "require (\n\thelm.sh/helm/v3 v3.19.5 // indirect\n\tk8s.io/client-go v0.34.4 // indirect\n)\n"


def test_every_place_of_this_tree_names_one_and_the_same_version() -> None:
    root = Path(__file__).parents[3]
    texts = {path: (root / path).read_text() for path in release.PLACES}
    assert release.version_problems(texts, release.version_of_chart(root)) == []


def test_a_file_that_says_another_version_or_none_is_named() -> None:
    texts = {"crds/pyproject.toml": 'version = "0.1.0"\n', "operator/pyproject.toml": ""}
    assert release.version_problems(texts, "0.2.0") == [
        "crds/pyproject.toml contains version 0.1.0",
        "operator/pyproject.toml contains no version",
    ]


def test_a_changelog_with_an_entry_is_no_problem() -> None:
    assert release.changelog_problems(CHANGELOG, "0.2.0") == []


def test_a_changelog_without_the_section_or_with_an_empty_one_is() -> None:
    assert release.changelog_problems(CHANGELOG, "0.3.0") == [
        "CHANGELOG.md has no section of the version: add ## 0.3.0"
    ]
    assert release.changelog_problems(CHANGELOG, "0.1.0") == ["CHANGELOG.md has no entry in section 0.1.0: add one"]


def test_uncommitted_files_are_named() -> None:
    assert release.uncommitted_file_problems("") == []
    assert release.uncommitted_file_problems(" M a\n?? b\n") == ["not committed: a, b"]


@pytest.mark.parametrize("version", ["1.2", "v1.2.3", "01.2.3", "1.2.3 "])
def test_a_version_has_three_numbers(version: str, tmp_path: Path) -> None:
    with pytest.raises(ManifestsError, match="is not a version"):
        release.check_release(tmp_path, version)


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    for path in release.PLACES:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    (tmp_path / "CHANGELOG.md").write_text("")
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    with pytest.raises(ManifestsError) as refusal:
        release.check_release(tmp_path, "0.2.0")
    assert "not committed: CHANGELOG.md" in str(refusal.value)
    assert "manifests/chart/Chart.yaml contains no version" in str(refusal.value)
    assert "has no section of the version: add ## 0.2.0" in str(refusal.value)


@pytest.mark.parametrize(
    ("repository", "images"),
    [
        ("", ("sluice-operator:1", "sluice-runtime:1")),
        ("h:5/t/", ("h:5/t/sluice-operator:1", "h:5/t/sluice-runtime:1")),
    ],
)
def test_both_images_and_nothing_else_get_the_repository(repository: str, images: tuple[str, str]) -> None:
    text = "image: {}\nvalue: {}\nuser: system:serviceaccount:sluice-system:sluice-operator\nname: sluice-operator\n"
    bare = text.format("sluice-operator:1", "sluice-runtime:1")
    assert release.with_image_repository(repository, bare) == text.format(*images)


def test_helm_gets_its_version_and_that_of_kubernetes() -> None:
    stamps = tools.helm_version_variables(GO_MOD)
    assert stamps["helm.sh/helm/v3/internal/version.version"] == "v3.19.5"
    assert stamps["helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor"] == "34"


def test_a_failing_program_is_quoted() -> None:
    with pytest.raises(ManifestsError, match=r"sh -c .*: out\nerr"):
        tools.run_and_return_output("sh", "-c", "echo out; echo err >&2; exit 3")
