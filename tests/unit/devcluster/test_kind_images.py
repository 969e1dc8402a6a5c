"""The names of the images that `make up CLUSTER=kind` builds."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from sluice_devcluster.kind_images import SOURCES, source_images

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the sources of both images, and of the file that names their base."""
    for path in {"base-images.txt", *(path for paths in SOURCES.values() for path in paths)}:
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / path).is_dir():
            shutil.copytree(ROOT / path, target)
        else:
            shutil.copy(ROOT / path, target)
    return tmp_path


def references(root: Path) -> dict[str, str]:
    return {image.name: image.reference for image in source_images(root)}


def test_a_copy_of_the_sources_has_the_same_images(tree: Path) -> None:
    assert references(tree) == references(ROOT)
    assert re.fullmatch(r"sluice-operator:source-[0-9a-f]{12}", references(tree)["operator"])


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("operator/src/sluice_operator/app.py", {"operator"}),
        ("operator/Dockerfile", {"operator"}),
        ("requirements/runtime.txt", {"runtime"}),
        ("crds/src/sluice_contract/spec.py", {"operator", "runtime"}),
        ("runtime/src/sluice_runtime/new.py", {"runtime"}),
        ("runtime/src/sluice_runtime/__pycache__/new.pyc", set()),
        ("operator/src/sluice_operator.egg-info/PKG-INFO", set()),
    ],
)
def test_a_change_of_its_sources_renames_an_image(tree: Path, path: str, changed: set[str]) -> None:
    before = references(tree)
    (tree / path).parent.mkdir(parents=True, exist_ok=True)
    with (tree / path).open("a") as file:
        file.write("# a change\n")
    assert {name for name, reference in references(tree).items() if reference != before[name]} == changed


def test_another_base_image_renames_both(monkeypatch: pytest.MonkeyPatch) -> None:
    before = references(ROOT)
    monkeypatch.setenv("PYTHON_BASE_IMAGE", "python:3.12-slim")
    assert not {*references(ROOT).values()} & {*before.values()}


@pytest.mark.parametrize("name", SOURCES)
def test_the_sources_are_what_the_dockerfile_copies(name: str) -> None:
    dockerfile = (ROOT / name / "Dockerfile").read_text().replace("${REQUIREMENTS}", "runtime")
    copies = re.findall(r"^COPY (?!--from)(.*) \S+$", dockerfile, re.MULTILINE)
    assert {path for line in copies for path in line.split()} == {*SOURCES[name]}
