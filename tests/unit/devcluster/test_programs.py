"""Certificates and processes of the control plane."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest

from sluice_devcluster import binaries, certificates, processes
from sluice_devcluster.errors import DevclusterError
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
