"""The dashboard's image and manifests on a real kubelet."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path

import pytest

from support.deadlines import scaled
from support.kind import ROOT, KindCluster, forwarded
from support.site import eventually

MANIFESTS = ROOT / "manifests/dashboard"
NAMESPACE = "sluice-dashboard"


@pytest.fixture(scope="module")
def folder(cluster: KindCluster) -> Iterator[Path]:
    """A copy of the manifests, of an image that the node has. What was applied is deleted at the end."""
    cluster.shell("make dashboard-image")
    cluster.load("sluice-dashboard:0.1.0")
    copy = cluster.folder / "dashboard"
    shutil.copytree(MANIFESTS, copy)
    yield copy
    cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false", "--ignore-not-found")


def exit_messages(cluster: KindCluster) -> list[str]:
    """Return the messages with which containers of the dashboard have ended."""
    statuses = [
        status
        for pod in cluster.kubectl.get("pods", "-n", NAMESPACE)["items"]
        for status in pod["status"].get("containerStatuses", [])
    ]
    ended = [status[state].get("terminated") for status in statuses for state in ("state", "lastState")]
    return [each.get("message", "") for each in ended if each]


def fetch(address: str, path: str) -> HTTPResponse:
    response: HTTPResponse = urllib.request.urlopen(f"http://{address}{path}", timeout=scaled(10))
    return response


def test_the_page_is_served_once_its_configuration_is_complete(cluster: KindCluster, folder: Path) -> None:
    cluster.kubectl("apply", "-k", str(folder))
    message = eventually(lambda: "".join(exit_messages(cluster)), seconds=60)
    assert "projectId is still your-project: write your project's ID" in message
    config = folder / "config.json"
    config.write_text(config.read_text().replace("your-project", "acme-1"))
    cluster.kubectl("apply", "-k", str(folder))
    cluster.kubectl("rollout", "status", "deployment/sluice-dashboard", "-n", NAMESPACE, "--timeout=90s")
    with forwarded(cluster, NAMESPACE, "sluice-dashboard", 80) as address:
        with fetch(address, "/") as response:
            assert response.headers["Content-Type"] == "text/html"
            assert "frame-src https://acme-1.firebaseapp.com;" in response.headers["Content-Security-Policy"]
        with fetch(address, "/config.json") as response:
            assert json.load(response)["projectId"] == "acme-1"
