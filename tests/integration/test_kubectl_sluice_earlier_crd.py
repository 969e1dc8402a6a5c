"""kubectl sluice on a cluster with the CRD of an earlier version, which has no pause objects."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sluice_devcluster.binaries import provide_binaries
from sluice_devcluster.kubectl import Kubectl
from support.cluster import cluster_without_operator
from support.definitions import EARLIER
from support.plugin import Plugin

PAUSE = ("pause", "feed", "-n", "acme", "--reason", "vendor incident", "--timeout", "0s")


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a cluster that serves only IngestJobs, of the earlier version."""
    crds = tmp_path_factory.mktemp("crds")
    shutil.copy(EARLIER, crds)
    with cluster_without_operator(tmp_path_factory.mktemp("earlier"), crds) as state:
        yield state.kubeconfig_file


@pytest.fixture(scope="module")
def plugin(kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Plugin:
    """The built plugin."""
    return Plugin(tmp_path_factory.mktemp("plugin"), kubeconfig)


@pytest.fixture
def kubectl(kubeconfig: Path) -> Iterator[Kubectl]:
    """kubectl, on a cluster with the job acme/feed."""
    found = Kubectl(provide_binaries(lambda _: None).kubectl, kubeconfig)
    spec = {"tenant": "acme", "provider": "synthetic", "symbols": ["SPY", "AAPL"]}
    job = {"apiVersion": "sluice.dev/v1alpha1", "kind": "IngestJob", "metadata": {"name": "feed", "namespace": "acme"}}
    metadata = {"name": "acme", "labels": {"sluice.dev/tenant": "acme"}}
    found.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}, {**job, "spec": spec}])
    yield found
    found("delete", "ij", "feed", "-n", "acme")


def report(kubectl: Kubectl, state: str, **stream: Any) -> None:
    """Store the status that an earlier operator and pod report of a job in this state of its stream."""
    now = datetime.now(UTC)
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "Streaming",
        "message": "2/2 symbols.",
        "observedGeneration": 1,
    }
    heartbeat = {"at": stamp(now), "epoch": 7, "sessionID": "a", "status": "running", "dryRun": False}
    symbols = {"desired": 2, "confirmed": 2, "pending": 0, "rejected": 0, "paused": 0, "live": "2/2"}
    found = {
        "observedGeneration": 1,
        "podUID": "u",
        "state": state,
        "ingestEnabled": state == "Live",
        "ingestEnabledSource": "",
        "heartbeat": heartbeat,
        "symbols": symbols,
        "sink": {"healthy": True},
        "effectiveIntervalMilliseconds": 1000,
        **stream,
    }
    condition = {**ready, "lastTransitionTime": f"{now - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"}
    status = {"phase": "Running", "epoch": 7, "podName": "feed-ingest", "conditions": [condition], "stream": found}
    patch = json.dumps({"status": status})
    kubectl("patch", "ij", "feed", "-n", "acme", "--subresource=status", "--type=merge", "-p", patch)


def stamp(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%S.%fZ}"


def test_a_job_that_streams_is_a_row_a_tree_and_json(kubectl: Kubectl, plugin: Plugin) -> None:
    report(kubectl, "Live")
    row = next(line for line in plugin.run("status", "-A").stdout.splitlines() if "acme/feed" in line)
    assert row.split()[:5] == ["●", "acme/feed", "synthetic", "Running", "2/2"]
    tree = plugin.run("status", "feed", "-n", "acme").stdout
    assert "● Live synthetic" in tree
    assert "Not visible: IngestPauses (this cluster does not serve the kind)" in tree
    [item] = json.loads(plugin.run("status", "-n", "acme", "-o", "json").stdout)["items"]
    assert item["state"]["level"] == "running"


def test_a_pause_that_the_earlier_pod_reports_is_shown(kubectl: Kubectl, plugin: Plugin) -> None:
    acknowledged_at = stamp(datetime.now(UTC))
    report(kubectl, "Paused", pause={"source": "http", "reason": "by hand", "acknowledgedAt": acknowledged_at})
    shown = plugin.run("status", "-n", "acme", "--paused").stdout
    assert "‖  acme/feed" in shown
    assert 'http ("by hand"), without an end' in shown


def test_a_pause_sets_the_spec_and_its_command_ends_it(kubectl: Kubectl, plugin: Plugin) -> None:
    report(kubectl, "Live")
    done = plugin.run(*PAUSE)
    assert done.returncode == 0, done.stderr
    assert "Setting spec.pause of the jobs instead, with the field manager sluice." in done.stderr
    assert kubectl.get("ij", "feed", "-n", "acme")["spec"]["pause"]["reason"] == "vendor incident"
    held = plugin.run("resume", "feed", "-n", "acme", "--timeout", "0s")
    command = next(line for line in held.stdout.splitlines() if "→ kubectl patch" in line).partition("→ ")[2]
    assert plugin.run_line(command).returncode == 0
    assert "pause" not in kubectl.get("ij", "feed", "-n", "acme")["spec"]


@pytest.mark.parametrize("words", ["feed -n acme --symbols SPY", "--all -n acme", "-l !desk -n acme", "--fleet"])
def test_what_needs_a_pause_object_says_what_to_do(kubectl: Kubectl, plugin: Plugin, words: str) -> None:
    report(kubectl, "Live")
    done = plugin.run("pause", *words.split(), "--reason", "vendor incident", typed="1\n")
    assert done.returncode == 1
    assert "apply the CRDs of Sluice" in done.stderr
    assert "pause" not in kubectl.get("ij", "feed", "-n", "acme")["spec"]
