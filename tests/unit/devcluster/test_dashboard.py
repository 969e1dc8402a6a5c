"""The dashboard's page server as `make dashboard` starts it and `make down` stops it."""

from __future__ import annotations

import json
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice_devcluster import cluster, dashboard
from sluice_devcluster.controlplane import find_free_port
from sluice_devcluster.errors import DevclusterError
from sluice_devcluster.layout import ClusterSettings, StateDirectory
from support.deadlines import scaled

CONFIG = {"projectId": "demo", "emulatorHost": "127.0.0.1:8085"}


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StateDirectory]:
    """A state directory whose page server is stopped at the end. Each test prefers another port."""
    monkeypatch.setattr(dashboard, "PREFERRED_PORT", find_free_port())
    found = StateDirectory(tmp_path / "state")
    found.root.mkdir()
    yield found
    dashboard.stop_page_server(found)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A built page."""
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html>")
    return folder


def read_config(url: str) -> dict[str, str]:
    with urllib.request.urlopen(f"{url}config.json", timeout=scaled(5)) as response:  # noqa: S310  on this machine
        found: dict[str, str] = json.load(response)
    return found


def test_it_is_served_until_down(state: StateDirectory, page: Path) -> None:
    url = dashboard.start_page_server(state, page, CONFIG)
    assert read_config(url) == CONFIG
    cluster.down(state, lambda _: None)
    assert not dashboard.is_page_server_alive(state)


def test_a_second_start_serves_the_new_configuration(state: StateDirectory, page: Path) -> None:
    dashboard.start_page_server(state, page, CONFIG)
    url = dashboard.start_page_server(state, page, {**CONFIG, "tenant": "beta"})
    assert read_config(url)["tenant"] == "beta"


def test_another_port_is_chosen_if_the_preferred_one_is_taken(
    state: StateDirectory, page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        monkeypatch.setattr(dashboard, "PREFERRED_PORT", taken)
        url = dashboard.start_page_server(state, page, CONFIG)
    assert str(taken) not in url
    assert read_config(url) == CONFIG


def test_the_port_of_the_last_server_is_used_again(state: StateDirectory, page: Path) -> None:
    last = f"http://127.0.0.1:{find_free_port()}/"
    state.save_settings(ClusterSettings(apiserver_port=1, etcd_client_port=2, etcd_peer_port=3, dashboard_url=last))
    assert dashboard.start_page_server(state, page, CONFIG) == last


def test_a_page_that_was_not_built_says_what_to_do(state: StateDirectory, tmp_path: Path) -> None:
    with pytest.raises(DevclusterError, match="build the page with `make dashboard`"):
        dashboard.start_page_server(state, tmp_path, CONFIG)


def test_an_emulator_that_is_gone_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DevclusterError, match="Run `make down` and `make up`"):
        dashboard.write_membership("127.0.0.1:9", "demo", "acme")
