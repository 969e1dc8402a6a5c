"""The stop button of manifests/samples: the commands of its page as they are written, on a real API server."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from sluice_devcluster import binaries
from sluice_devcluster.kubectl import Kubectl
from sluice_devcluster.quickstart import Quickstart
from support.attempts import Attempt, Caller
from support.callers import token
from support.deadlines import scaled
from support.site import Tenant, eventually

SAMPLE = Path(__file__).resolve().parents[2] / "manifests/samples/stop-button"
PAGE = (SAMPLE / "README.md").read_text()
ACCOUNT = [each for each in yaml.safe_load_all((SAMPLE / "account.yaml").read_text()) if each]


def block(heading: str, number: int) -> str:
    """Return a block of shell commands below a heading of the page."""
    section = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    found: list[str] = re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    return found[number]


class Shell:
    """Runs commands of the page in one folder, with its names replaced by those of a test."""

    def __init__(self, site: Quickstart, folder: Path, namespace: str) -> None:
        self._folder = folder
        self._namespace = namespace
        path = f"{binaries.provide_binaries(lambda _: None).kubectl.parent}:{os.environ['PATH']}"
        self._environment = os.environ | {"KUBECONFIG": str(site.kubeconfig), "PATH": path}

    def run(self, *blocks: str) -> str:
        """Run the blocks in one shell, and return the output."""
        text = "\n".join(blocks).replace("acme", self._namespace).replace("us-equities", "feed")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=scaled(60),
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def shell(site: Quickstart, tenant: Tenant, tmp_path: Path) -> Shell:
    """A shell for the namespace of the test, which has the account of the sample and its token."""
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": ACCOUNT}).replace("acme", tenant.name)
    tenant.kubectl("apply", "-f", "-", text=text)
    eventually(lambda: tenant.kubectl.get("secret", "stop-button", "-n", tenant.name).get("data", {}).get("token"))
    return Shell(site, tmp_path, tenant.name)


def test_the_request_of_the_page_stops_the_feed_and_deleting_the_pause_resumes_it(tenant: Tenant, shell: Shell) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    created = json.loads(shell.run(block("The account", 1), block("Stop", 0)))
    name = created["metadata"]["name"]
    assert name.startswith("stop-button-")
    tenant.run("wait", f"ipause/{name}", "--for=condition=Acknowledged", "--timeout=15s")
    [source] = tenant.settled("Paused")["stream"]["pause"]["sources"]
    assert source["reason"] == "stopped by the pager"
    writes = tenant.writes()
    assert name in shell.run(block("Stop", 1))
    shell.run(block("Resume", 0).replace("NAME", name))
    tenant.settled("Streaming")
    eventually(lambda: tenant.writes() != writes)


def test_the_files_with_the_token_belong_to_their_owner_alone(shell: Shell, tmp_path: Path) -> None:
    shell.run(block("The account", 1))
    assert {path.name for path in tmp_path.iterdir()} == {"stop-button.header", "stop-button.crt"}
    assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {0}


@pytest.mark.usefixtures("shell")
def test_the_account_can_pause_and_change_no_job(tenant: Tenant, kubectl: Kubectl) -> None:
    caller = Caller(kubectl, token(kubectl, tenant.name, "stop-button"))
    body = {
        "apiVersion": "sluice.dev/v1alpha1",
        "kind": "IngestPause",
        "metadata": {"name": "x"},
        "spec": {"jobs": ["none"], "reason": "x"},
    }
    stop = {"spec": {"enabled": False}}
    tenant.apply(enabled=False)
    assert caller.answer(Attempt("create", "ingestpauses", tenant.name, "", body)) == "yes"
    assert caller.answer(Attempt("create", "ingestpauses", "default", "", body)) == "no"
    assert caller.answer(Attempt("patch", "ingestjobs", tenant.name, "feed", stop)) == "no"
    assert caller.answer(Attempt("list", "secrets", tenant.name)) == "no"
