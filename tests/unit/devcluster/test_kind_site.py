"""`make up CLUSTER=kind` and `make down` where something is missing. Scripts answer as Docker and kind do."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from sluice_devcluster import kind_site
from sluice_devcluster.errors import DevclusterError
from sluice_devcluster.kind_site import KindOptions
from sluice_devcluster.layout import KindSettings, StateDirectory

ROOT = Path(__file__).resolve().parents[3]
OURS = KindSettings(cluster_name="sluice", is_created=True)
DOCKER = """#!/bin/sh
echo "docker $*" >>"{calls}"
case "$1" in
  version) [ -z "{failure}" ] || {{ echo "{failure}" >&2; exit 1; }} ;;
  ps) cat "{node}" 2>/dev/null ;;
esac
exit 0
"""
KIND = """#!/bin/sh
echo "kind $*" >>"{calls}"
case "$1" in
  create) cat >/dev/null; echo "no such image" >&2; exit 1 ;;
  delete) rm -f "{node}" ;;
esac
"""


class Machine:
    """A PATH with programs that record their calls. The state of the node's container is in a file."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.node = folder / "node"
        self._calls = folder / "calls"
        self.state = StateDirectory(folder / "state")
        self.state.root.mkdir()
        self.reports: list[str] = []
        monkeypatch.setenv("PATH", f"{self.bin}{os.pathsep}/usr/bin{os.pathsep}/bin")
        monkeypatch.delenv("DOCKER", raising=False)
        monkeypatch.setattr(kind_site, "READY_SECONDS", 0.0)
        monkeypatch.setattr("shutil.which", self._find)
        self.install("docker", DOCKER)
        self.install("kind", KIND)
        self.install("kubectl", "#!/bin/sh\nexit 1\n")

    def install(self, name: str, script: str, failure: str = "") -> None:
        file = self.bin / name
        file.write_text(script.format(calls=self._calls, node=self.node, failure=failure))
        file.chmod(0o755)

    def up(self, name: str = "") -> None:
        kind_site.up(self.state, ROOT / "manifests", KindOptions(cluster_name=name), self.reports.append)

    def calls(self, program: str) -> list[str]:
        lines = self._calls.read_text().splitlines() if self._calls.exists() else []
        return [line for line in lines if line.startswith(f"{program} ")]

    def _find(self, name: str) -> str | None:
        file = self.bin / name
        return str(file) if file.exists() else None


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


@pytest.mark.parametrize(("platform", "has_alternative"), [("linux", True), ("darwin", False)])
def test_missing_programs_are_named_with_where_to_get_them(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, platform: str, has_alternative: bool
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    (machine.bin / "kind").unlink()
    (machine.bin / "kubectl").unlink()
    with pytest.raises(DevclusterError) as caught:
        machine.up()
    text = str(caught.value)
    assert text.startswith("CLUSTER=kind needs Docker, kind and kubectl. Install kind (https://kind.sigs.k8s.io/")
    assert "kubectl (https://kubernetes.io/" in text
    assert ("or use `make up` without CLUSTER=kind, which needs no Docker" in text) is has_alternative


def test_a_docker_that_does_not_respond_is_reported_with_its_reason(machine: Machine) -> None:
    machine.install("docker", DOCKER, failure="Cannot connect to the Docker daemon. Is it running?")
    with pytest.raises(DevclusterError, match=r"^Docker does not respond \(Cannot connect .*\)\. Start Docker, or use"):
        machine.up()
    machine.state.save_settings(OURS)
    with pytest.raises(DevclusterError, match="Docker does not respond"):
        kind_site.require_running(machine.state, OURS)


def test_a_cluster_of_that_name_that_is_not_ours_is_refused(machine: Machine) -> None:
    machine.node.write_text("running\n")
    with pytest.raises(DevclusterError, match="that this folder's `make up` did not create"):
        machine.up()
    assert machine.calls("kind") == []
    assert machine.state.load_kind_settings() is None


def test_another_name_is_refused_while_a_cluster_is_up(machine: Machine) -> None:
    machine.state.save_settings(OURS)
    with pytest.raises(DevclusterError, match="already created the kind cluster sluice: run `make down` first"):
        machine.up("other")


def test_a_cluster_that_kind_cannot_create_is_forgotten(machine: Machine) -> None:
    with pytest.raises(DevclusterError, match="no such image"):
        machine.up("mine")
    assert machine.state.load_kind_settings() is None
    [create] = machine.calls("kind")
    assert "--name mine" in create
    assert f"--kubeconfig {machine.state.kubeconfig_file}" in create


def test_a_cluster_that_was_deleted_by_hand_is_created_again(machine: Machine) -> None:
    machine.state.save_settings(OURS)
    with pytest.raises(DevclusterError, match="does not exist any more: run `make up`"):
        kind_site.require_running(machine.state, OURS)
    with pytest.raises(DevclusterError, match="no such image"):
        machine.up()
    assert (
        "the kind cluster sluice was deleted by another command than `make down`; creating it again" in machine.reports
    )


def test_the_images_that_the_user_chose_are_remembered(machine: Machine) -> None:
    machine.node.write_text("exited\n")
    machine.install("docker", DOCKER.replace("ps)", "port) echo 127.0.0.1:1234 ;;\n  ps)"))
    machine.state.save_settings(
        KindSettings(cluster_name="sluice", is_created=True, emulator_image="mirror/emulator:1")
    )
    with pytest.raises(DevclusterError, match="did not answer"):
        machine.up()
    settings = machine.state.load_kind_settings()
    assert settings is not None
    assert settings.emulator_image == "mirror/emulator:1"
    assert settings.firestore_emulator_host == "127.0.0.1:1234"


def test_a_cluster_whose_creation_was_interrupted_is_deleted_and_created_again(machine: Machine) -> None:
    machine.node.write_text("running\n")
    machine.state.save_settings(KindSettings(cluster_name="sluice"))
    with pytest.raises(DevclusterError, match="no such image"):
        machine.up()
    assert [call.split()[1] for call in machine.calls("kind")] == ["delete", "create"]


def test_a_cluster_that_does_not_answer_says_what_to_do(machine: Machine) -> None:
    machine.node.write_text("exited\n")
    machine.state.save_settings(OURS)
    with pytest.raises(DevclusterError, match="has stopped: run `make up`"):
        kind_site.require_running(machine.state, OURS)
    machine.install("docker", DOCKER.replace("ps)", "port) echo 127.0.0.1:1234 ;;\n  ps)"))
    with pytest.raises(DevclusterError, match="did not answer within 0 s: run `make down` and `make up`"):
        machine.up()
    assert "docker start sluice-control-plane" in machine.calls("docker")


def test_down_deletes_that_cluster_and_forgets_it(machine: Machine) -> None:
    machine.node.write_text("running\n")
    machine.state.save_settings(OURS)
    kind_site.down(machine.state, OURS, machine.reports.append)
    assert [call.split()[1:5] for call in machine.calls("kind")] == [["delete", "cluster", "--name", "sluice"]]
    assert machine.state.load_site_settings() is None
