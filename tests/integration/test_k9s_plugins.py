"""The commands of manifests/samples/k9s/plugins.yaml, run as k9s runs them.

Also looked for: a reason that JSON or the API server refuses, because the pause must not depend on it.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from sluice_devcluster import binaries
from sluice_devcluster.quickstart import Quickstart
from sluice_manifests.progress import ProgressPrinter
from support.deadlines import scaled
from support.site import Tenant, eventually

FILE = Path(__file__).parents[2] / "manifests/samples/k9s/plugins.yaml"
PLUGINS: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text())["plugins"]


class K9s:
    """Runs a plugin's command for the job `feed` of a tenant."""

    def __init__(self, site: Quickstart, tenant: Tenant) -> None:
        context = yaml.safe_load(site.kubeconfig.read_text())["current-context"]
        self._values = {"CONTEXT": context, "NAMESPACE": tenant.name, "NAME": "feed"}
        folder = binaries.provide_binaries(ProgressPrinter()).kubectl.parent
        path = f"{folder}{os.pathsep}{os.environ['PATH']}"
        self._environment = {**os.environ, "PATH": path, "KUBECONFIG": str(site.kubeconfig)}

    def press(self, plugin: str, typed: str = "") -> str:
        """Run the plugin, with what a user types, and return its output."""
        found = PLUGINS[plugin]
        arguments = [
            re.sub(r"\$(\w+)", lambda name: self._values.get(name[1], name[0]), each) for each in found["args"]
        ]
        done = subprocess.run(
            [found["command"], *arguments],
            env=self._environment,
            input=f"{typed}\n\n",
            capture_output=True,
            text=True,
            check=False,
            timeout=scaled(60),
        )
        return done.stdout + done.stderr


@pytest.fixture
def k9s(site: Quickstart, tenant: Tenant) -> K9s:
    tenant.apply()
    tenant.settled("Streaming")
    return K9s(site, tenant)


def reasons(tenant: Tenant) -> list[str]:
    """Return the reasons of the pauses in the namespace."""
    return [each["spec"]["reason"] for each in tenant.kubectl.get("ipause", "-n", tenant.name)["items"]]


def test_pause_history_and_resume(k9s: K9s, tenant: Tenant) -> None:
    said = k9s.press("sluice-pause", 'bad prints: "SPY" \\ 14:02')
    assert "created" in said
    assert reasons(tenant) == ['bad prints: "SPY" \\ 14:02']
    tenant.settled("Paused")
    eventually(lambda: "Paused" in k9s.press("sluice-history").split("Gaps")[0])
    history = k9s.press("sluice-history")
    assert f"History of {tenant.name}/feed" in history
    assert "k9s-feed-" in history
    tenant.kubectl(
        *("create", "-f", "-", "-n", tenant.name),
        text='{"apiVersion": "sluice.dev/v1alpha1", "kind": "IngestPause", "metadata": {"name": "other"},'
        '"spec": {"jobs": ["feed"], "reason": "of another tool"}}',
    )
    eventually(lambda: len(tenant.job()["status"]["stream"]["pause"]["sources"]) == 2)
    resumed = k9s.press("sluice-resume")
    assert "deleted" in resumed
    assert "pause:other" in resumed
    assert reasons(tenant) == ["of another tool"]
    tenant.run("delete", "ipause", "other")
    tenant.settled("Streaming")


@pytest.mark.parametrize("reason", ["", "x" * 300, "tab\tand \x07 bell"])
def test_no_reason_prevents_a_pause(k9s: K9s, tenant: Tenant, reason: str) -> None:
    said = k9s.press("sluice-pause", reason)
    [given] = reasons(tenant)
    assert given == ("taband  bell" if reason.startswith("tab") else "paused in k9s, without a usable reason"), said
    tenant.settled("Paused")
