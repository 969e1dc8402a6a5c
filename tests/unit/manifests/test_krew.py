"""The archive and the manifest for krew."""

from __future__ import annotations

import copy
import subprocess
import sys
import tarfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml

from sluice_manifests.errors import ManifestsError
from sluice_manifests.krew import MANIFEST, krew_manifest, write_krew_manifest, write_plugin_archive
from support.krew_rules import manifest_problems, platforms_of

ROOT = Path(__file__).parents[3]
URI, DIGEST = "https://host/v1.2.3/kubectl-sluice-1.2.3.tar.gz", "ab" * 32
HOMEPAGE = "https://host/sluice"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of version 1.2.3."""
    return write_plugin_archive(ROOT, "1.2.3", tmp_path_factory.mktemp("release"))


def test_the_archive_has_the_plugin_its_completion_and_the_license(archive: Path, tmp_path: Path) -> None:
    assert archive.name == "kubectl-sluice-1.2.3.tar.gz"
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["LICENSE", "kubectl-sluice", "kubectl_complete-sluice"]
    assert (tmp_path / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert all((tmp_path / name).stat().st_mode & 0o111 for name in ("kubectl-sluice", "kubectl_complete-sluice"))
    command = [sys.executable, "-IS", str(tmp_path / "kubectl-sluice"), "version", "--client"]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.startswith("plugin ")


def test_the_same_sources_give_the_same_archive(archive: Path, tmp_path: Path) -> None:
    assert write_plugin_archive(ROOT, "1.2.3", tmp_path).read_bytes() == archive.read_bytes()


def test_the_manifest_meets_the_rules_of_krew(archive: Path) -> None:
    path = write_krew_manifest(archive, "1.2.3", "https://host/v1.2.3/", HOMEPAGE)
    manifest = yaml.safe_load(path.read_text())
    assert manifest_problems(manifest, path.name) == []
    [platform] = manifest["spec"]["platforms"]
    assert platform["uri"] == URI
    assert platform["sha256"] == sha256(archive.read_bytes()).hexdigest()
    with tarfile.open(archive) as tar:
        assert platform["bin"] in tar.getnames()
    assert manifest["spec"]["homepage"] == HOMEPAGE


@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_linux_and_macos_have_one_platform_and_windows_has_none(architecture: str) -> None:
    manifest = krew_manifest("1.2.3", URI, DIGEST, HOMEPAGE)
    counts = [len(platforms_of(manifest, system, architecture)) for system in ("linux", "darwin", "windows")]
    assert counts == [1, 1, 0]


def test_an_unknown_homepage_is_left_out() -> None:
    assert "homepage" not in krew_manifest("1.2.3", URI, DIGEST, "unknown")["spec"]


@pytest.mark.parametrize("url", ["", "http://host", "host/path"])
def test_a_url_that_krew_cannot_use_is_refused(url: str, archive: Path) -> None:
    (archive.parent / MANIFEST).unlink(missing_ok=True)
    with pytest.raises(ManifestsError, match="is not an https URL: write it like"):
        write_krew_manifest(archive, "1.2.3", url, HOMEPAGE)
    assert not (archive.parent / MANIFEST).exists()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda spec: spec.update(version="1.2.3"), "version"),
        (lambda spec: spec.update(shortDescription="a\nb"), "shortDescription"),
        (lambda spec: spec.update(unknown=1), "fields"),
        (lambda spec: spec["platforms"][0].update(sha256="AB" * 32), "sha256"),
        (lambda spec: spec["platforms"][0].update(selector={"matchLabels": {"system": "linux"}}), "selector"),
        (lambda spec: spec["platforms"][0].pop("bin"), "bin"),
    ],
)  # fmt: skip
def test_the_rules_notice_a_mistake(change: Callable[[dict[str, Any]], object], problem: str) -> None:
    manifest = copy.deepcopy(krew_manifest("1.2.3", URI, DIGEST, HOMEPAGE))
    change(manifest["spec"])
    assert manifest_problems(manifest, MANIFEST) == [problem]
