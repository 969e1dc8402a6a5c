"""base-images.txt is the only file that names the images on which Sluice's images are built."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sluice_manifests.base_images import (
    FILE,
    BaseImage,
    digest_in_registry,
    lock_base_images,
    parse_base_images,
    read_base_images,
)
from sluice_manifests.errors import ManifestsError

ROOT = Path(__file__).parents[3]
DIGEST = "sha256:" + "0a" * 32


def test_no_other_file_names_a_base_image() -> None:
    names = [image.name for image in read_base_images(ROOT).values()]
    assert names
    found = subprocess.run(
        ["git", "-C", str(ROOT), "grep", "-lF", *(part for name in names for part in ("-e", name))],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.split() == [FILE]


def test_each_dockerfile_builds_on_arguments_of_the_file_only() -> None:
    arguments = {f"${{{name}}}" for name in read_base_images(ROOT)}
    dockerfiles = [path for path in ROOT.rglob("*Dockerfile") if "node_modules" not in path.parts]
    assert len(dockerfiles) == 5
    for path in dockerfiles:
        lines = path.read_text().splitlines()
        assert {line.split()[1] for line in lines if line.startswith("FROM ")} == arguments
        assert "ARG PYTHON_BASE_IMAGE" in lines


def test_a_digest_is_part_of_the_reference() -> None:
    text = f"# why\n\nA_IMAGE=python:3.11\nB=host:5000/x/python:3@{DIGEST}\n"
    assert parse_base_images(text) == {
        "A_IMAGE": BaseImage("A_IMAGE", "python:3.11"),
        "B": BaseImage("B", "host:5000/x/python:3", DIGEST),
    }
    assert parse_base_images(text)["B"].reference == f"host:5000/x/python:3@{DIGEST}"


@pytest.mark.parametrize("line", ["python:3.11", "A=", "A=python:3 x", "A=python@sha256:12", "a=python:3"])
def test_a_line_that_is_no_image_is_named(line: str) -> None:
    with pytest.raises(ManifestsError, match=r"line 2, names no image: write NAME=image:tag"):
        parse_base_images(f"# x\n{line}\n")


def test_locking_keeps_the_comments_and_replaces_an_earlier_digest(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(f"# why\nA=python:3.11@sha256:{'1' * 64}\n")
    assert lock_base_images(tmp_path, lambda name: DIGEST if name == "python:3.11" else "") == [
        BaseImage("A", "python:3.11", DIGEST)
    ]
    assert (tmp_path / FILE).read_text() == f"# why\nA=python:3.11@{DIGEST}\n"


def test_without_a_registry_the_file_stays_and_the_error_says_what_to_do(tmp_path: Path) -> None:
    def run(*command: str) -> str:
        raise ManifestsError("docker pull: no such host")

    (tmp_path / FILE).write_text("A=python:3.11\n")
    with pytest.raises(ManifestsError, match=r"run make lock-images where .* \(docker pull: no such host\)"):
        lock_base_images(tmp_path, digest_in_registry("docker", run))
    assert (tmp_path / FILE).read_text() == "A=python:3.11\n"


@pytest.mark.parametrize(
    ("output", "digest"), [(f"python@{DIGEST}\n", DIGEST), (f"python@{DIGEST}\nmirror/python@{DIGEST}\n", DIGEST)]
)
def test_the_digest_is_the_one_of_the_registry(output: str, digest: str) -> None:
    assert digest_in_registry("docker", lambda *command: output if "inspect" in command else "")("python:3") == digest


def test_an_image_that_was_built_here_has_no_digest_to_write() -> None:
    with pytest.raises(ManifestsError, match="has 0 digests on this machine"):
        digest_in_registry("docker", lambda *command: "\n")("python:3")
