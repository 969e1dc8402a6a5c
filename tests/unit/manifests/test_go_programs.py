"""The versions of Go and of the programs built with it, and the folder for these programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluice_manifests import go_programs, toolchain
from sluice_manifests.errors import ManifestsError

GO_MOD = "module m\n\ngo 1.26.0\n\nrequire (\n\tk8s.io/kubernetes v1.34.4 // indirect\n)\n"


@pytest.mark.parametrize(
    ("text", "version"),
    [("go version go1.26.8 linux/amd64", (1, 26, 8)), ("1.24", (1, 24, 0)), ("no version", ())],
)
def test_a_go_version_is_read(text: str, version: tuple[int, ...]) -> None:
    assert toolchain.parse_go_version(text) == version


def test_the_newest_required_go_counts(tmp_path: Path) -> None:
    for name, version in (("a", "1.24.0"), ("b", "1.26.0")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "go.mod").write_text(f"module m\n\ngo {version}\n")
    assert toolchain.required_go_version([tmp_path / "a", tmp_path / "b"]) == (1, 26, 0)


def test_the_pinned_version_of_a_module_is_found() -> None:
    assert go_programs.pinned_version(GO_MOD, "k8s.io/kubernetes") == "v1.34.4"
    with pytest.raises(ManifestsError, match="does not require"):
        go_programs.pinned_version(GO_MOD, "k8s.io/kube")


def test_the_version_is_stamped_into_the_programs() -> None:
    flags = go_programs.linker_flags(go_programs.kubernetes_version_variables(GO_MOD))
    assert "version.gitVersion=v1.34.4" in flags
    assert "version.gitMinor=34" in flags


def test_the_environment_sets_the_folder_of_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SLUICE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert go_programs.cache_directory() == tmp_path / "sluice"
    monkeypatch.setenv("SLUICE_CACHE", str(tmp_path / "own"))
    assert go_programs.cache_directory() == tmp_path / "own"
