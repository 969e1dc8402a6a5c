"""Which kind of cluster `make up` starts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sluice_devcluster import startup
from sluice_devcluster.errors import DevclusterError
from sluice_devcluster.kind_site import KindOptions
from sluice_devcluster.layout import ClusterSettings, KindSettings, SiteSettings, StateDirectory

ROOT = Path(__file__).resolve().parents[3]
KIND = KindSettings(cluster_name="sluice")
PROCESSES = ClusterSettings(apiserver_port=1, etcd_client_port=2, etcd_peer_port=3)


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    return StateDirectory(tmp_path)


@pytest.mark.parametrize(
    ("asked", "up", "chosen"),
    [
        ("", None, "processes"),
        ("processes", None, "processes"),
        ("kind", None, "kind"),
        ("", KIND, "kind"),
        ("kind", KIND, "kind"),
        ("", PROCESSES, "processes"),
    ],
)
def test_without_a_choice_the_cluster_that_is_up_is_used(
    state: StateDirectory, asked: str, up: SiteSettings | None, chosen: str
) -> None:
    if up is not None:
        state.save_settings(up)
    assert startup.choose_cluster(asked, state) == chosen


@pytest.mark.parametrize(
    ("asked", "up", "message"),
    [
        ("kind", PROCESSES, "has already started a cluster of processes: run `make down` first"),
        ("processes", KIND, "has already started a kind cluster: run `make down` first"),
        ("Kind", None, "CLUSTER=Kind is unknown"),
    ],
)
def test_a_choice_that_cannot_be_met_says_what_to_do(
    state: StateDirectory, asked: str, up: SiteSettings | None, message: str
) -> None:
    if up is not None:
        state.save_settings(up)
    with pytest.raises(DevclusterError, match=message):
        startup.choose_cluster(asked, state)


def test_settings_of_either_kind_are_found_and_deleted(state: StateDirectory) -> None:
    state.save_settings(KIND)
    assert (state.load_site_settings(), state.load_settings()) == (KIND, None)
    state.delete_settings()
    assert state.load_site_settings() is None


def test_processes_need_linux(state: StateDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(DevclusterError, match=r"needs Linux\. Use Docker: make up CLUSTER=kind"):
        startup.start(state, ROOT / "manifests", "processes", KindOptions(), lambda _: None)
