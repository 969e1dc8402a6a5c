"""The first line of a `make up` that compiles Kubernetes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sluice_devcluster import binaries
from sluice_devcluster.build_notice import NOTICE, notice
from sluice_devcluster.layout import KindSettings, StateDirectory

ROOT = Path(__file__).resolve().parents[3]
KIND = KindSettings(cluster_name="sluice")


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    return StateDirectory(tmp_path)


@pytest.mark.parametrize(("asked", "platform"), [("", "linux"), ("processes", "linux")])
def test_the_notice_appears_if_kubernetes_is_compiled(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch, asked: str, platform: str
) -> None:
    monkeypatch.setattr(binaries, "are_missing", lambda: True)
    assert notice(state.root, asked, platform) == NOTICE
    monkeypatch.setattr(binaries, "are_missing", lambda: False)
    assert notice(state.root, asked, platform) == ""


@pytest.mark.parametrize(("asked", "platform"), [("kind", "linux"), ("kind", "darwin"), ("", "darwin")])
def test_no_notice_appears_on_kind_and_on_other_systems(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch, asked: str, platform: str
) -> None:
    monkeypatch.setattr(binaries, "are_missing", lambda: True)
    assert notice(state.root, asked, platform) == ""


def test_no_notice_appears_while_a_kind_cluster_is_up(state: StateDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "are_missing", lambda: True)
    state.save_settings(KIND)
    assert notice(state.root, "", "linux") == ""


def test_the_notice_needs_no_package(tmp_path: Path) -> None:
    paths = os.pathsep.join(str(ROOT / each) for each in ("devcluster/src", "manifests/src"))
    command = [sys.executable, "-S", "-m", "sluice_devcluster.build_notice", str(tmp_path), ""]
    environment = {"PYTHONPATH": paths, "SLUICE_CACHE": str(tmp_path), "PATH": ""}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == NOTICE + "\n"
