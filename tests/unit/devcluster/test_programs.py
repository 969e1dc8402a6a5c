"""Versions, flags and certificates of the control plane."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest

from sluice_devcluster import binaries, certificates, processes, toolchain
from sluice_devcluster.errors import DevclusterError

GO_MOD = "module m\n\ngo 1.26.0\n\nrequire (\n\tk8s.io/kubernetes v1.34.4 // indirect\n)\n"


@pytest.mark.parametrize(
    ("text", "version"),
    [("go version go1.26.8 linux/amd64", (1, 26, 8)), ("1.24", (1, 24, 0)), ("no version", ())],
)
def test_a_go_version_is_read(text: str, version: tuple[int, ...]) -> None:
    assert toolchain.version_of(text) == version


def test_the_newest_required_go_counts(tmp_path: Path) -> None:
    for name, version in (("a", "1.24.0"), ("b", "1.26.0")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "go.mod").write_text(f"module m\n\ngo {version}\n")
    assert toolchain.required_version([tmp_path / "a", tmp_path / "b"]) == (1, 26, 0)


def test_the_pinned_version_of_a_module_is_found() -> None:
    assert binaries.pinned_version(GO_MOD, "k8s.io/kubernetes") == "v1.34.4"
    with pytest.raises(DevclusterError, match="does not require"):
        binaries.pinned_version(GO_MOD, "k8s.io/kube")


def test_the_version_is_stamped_into_the_programs() -> None:
    flags = binaries.link_flags(binaries.kubernetes_stamps(GO_MOD))
    assert "version.gitVersion=v1.34.4" in flags
    assert "version.gitMinor=34" in flags


def test_the_cache_lies_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SLUICE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert binaries.cache_directory() == tmp_path / "sluice"
    monkeypatch.setenv("SLUICE_CACHE", str(tmp_path / "own"))
    assert binaries.cache_directory() == tmp_path / "own"


def test_every_certificate_is_signed_by_the_authority_and_private(tmp_path: Path) -> None:
    pki = tmp_path / "pki"
    certificates.write_all(pki)
    for name in certificates.IDENTITIES:
        context = ssl.create_default_context(cafile=pki / "ca.crt")
        context.load_cert_chain(pki / f"{name}.crt", pki / f"{name}.key")
        assert (pki / f"{name}.key").stat().st_mode & 0o077 == 0


def test_a_process_is_known_by_more_than_its_number() -> None:
    record = processes.record_of(os.getpid())
    assert record is not None
    assert processes.is_alive(record)
    stranger = processes.ProcessRecord(record.pid, record.start_ticks + 1, record.boot)
    assert not processes.is_alive(stranger)
    assert not processes.is_alive(processes.ProcessRecord(record.pid, record.start_ticks, "another boot"))


def test_an_unreadable_record_is_no_record(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("{")
    assert processes.load_record(tmp_path / "r.json") is None
    assert processes.load_record(tmp_path / "none.json") is None
