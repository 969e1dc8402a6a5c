"""Certificates and processes of the control plane."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest

from sluice_devcluster import binaries, certificates, processes
from sluice_devcluster.errors import DevclusterError
from sluice_manifests import go_programs
from sluice_manifests.errors import ManifestsError


def test_every_certificate_is_signed_by_the_authority_and_private(tmp_path: Path) -> None:
    pki = tmp_path / "pki"
    certificates.write_pki(pki)
    for name in certificates.IDENTITIES:
        context = ssl.create_default_context(cafile=pki / "ca.crt")
        context.load_cert_chain(pki / f"{name}.crt", pki / f"{name}.key")
        assert (pki / f"{name}.key").stat().st_mode & 0o077 == 0


def test_a_process_is_identified_by_more_than_its_process_id() -> None:
    record = processes.record_of_process(os.getpid())
    assert record is not None
    assert processes.is_alive(record)
    stranger = processes.ProcessRecord(record.pid, record.start_ticks + 1, record.boot)
    assert not processes.is_alive(stranger)
    assert not processes.is_alive(processes.ProcessRecord(record.pid, record.start_ticks, "another boot"))


def test_an_unreadable_record_counts_as_absent(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("{")
    assert processes.load_record(tmp_path / "r.json") is None
    assert processes.load_record(tmp_path / "none.json") is None


def test_a_build_that_fails_is_an_error_of_the_devcluster(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_to_build(*_: object) -> None:
        raise ManifestsError("building etcd failed")

    monkeypatch.setattr(binaries, "find_or_build_programs", fail_to_build)
    with pytest.raises(DevclusterError, match="building etcd failed"):
        binaries.provide_binaries(lambda _: None)


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """Return a folder with the modules of three versions of Kubernetes, of which devcluster uses the second."""
    for name, version in (("kubernetes", "1.34.4"), ("kubernetes-1.30", "1.30.14"), ("kubernetes-1.100", "1.100.2")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "go.mod").write_text(f"require k8s.io/kubernetes v{version}\n")
    return tmp_path


def test_the_pinned_versions_of_kubernetes_are_in_the_order_of_their_numbers(modules: Path) -> None:
    found = binaries.pinned_kubernetes_versions(modules)
    assert list(found.items()) == [("1.30", "v1.30.14"), ("1.34", "v1.34.4"), ("1.100", "v1.100.2")]


@pytest.mark.parametrize(("named", "chosen"), [(None, ""), ("", ""), ("1.34", ""), ("1.30", "1.30")])
def test_the_environment_chooses_the_version_of_kubernetes(named: str | None, chosen: str, modules: Path) -> None:
    environment = {} if named is None else {binaries.VERSION_VARIABLE: named}
    assert binaries.chosen_minor_version(environment, modules) == chosen


@pytest.mark.parametrize("named", ["0.1.0", "1.30.14", "../kubernetes"])
def test_an_unknown_version_of_kubernetes_is_refused_with_those_that_can_be_built(named: str, modules: Path) -> None:
    with pytest.raises(DevclusterError, match=r"choose one of 1\.30, 1\.34, 1\.100\."):
        binaries.chosen_minor_version({binaries.VERSION_VARIABLE: named}, modules)


def test_a_chosen_version_is_built_even_if_another_is_installed() -> None:
    assert go_programs.kubernetes_program("kube-apiserver").may_be_installed
    chosen = go_programs.kubernetes_program("kube-apiserver", "1.30")
    assert (chosen.may_be_installed, chosen.module.name) == (False, "kubernetes-1.30")
