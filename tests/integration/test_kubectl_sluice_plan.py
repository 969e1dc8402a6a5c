"""kubectl sluice plan on a real API server: what it foretells is what the API server and the operator then do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.plugin import Plugin
from support.site import SPEC, Tenant


@pytest.fixture
def policy(feed: Tenant) -> Iterator[str]:
    """A policy that allows the namespace three symbols. It is deleted at the end."""
    name = f"{feed.name}-plan"
    selector = {"matchLabels": {"sluice.dev/tenant": feed.name}}
    spec = {"namespaceSelector": selector, "perNamespace": {"symbols": 3}, "message": "Ask us."}
    feed.kubectl.apply([document_of("IngestPolicy", {"name": name}, spec)])
    yield name
    feed.kubectl("delete", "ipolicy", name)


def document_of(kind: str, metadata: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "sluice.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


def job_text(tenant: Tenant, name: str = "feed", **spec: Any) -> str:
    """Return the document of a job: SPEC, changed by `spec`."""
    fields = {**SPEC, "tenant": tenant.name, **spec}
    return json.dumps(document_of("IngestJob", {"name": name, "namespace": tenant.name}, fields))


def findings(plugin: Plugin, text: str) -> tuple[int, list[dict[str, Any]]]:
    """Return the exit code and the findings about one document."""
    done = plugin.run("plan", "-f", "-", "-o", "json", typed=text)
    [item] = json.loads(done.stdout)["items"]
    return done.returncode, item["findings"]


def test_hot_and_cold_changes_are_foretold(feed: Tenant, plugin: Plugin) -> None:
    hot = job_text(feed, symbols=["SPY", "AAPL", "TSLA"])
    done = plugin.run("plan", "-f", "-", typed=hot)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "~ spec.symbols  2 → 3 (+TSLA)  hot: same connection, no gap" in done.stdout
    cold = job_text(feed, symbols=["SPY", "AAPL"], synthetic={"quotesPerSecond": 60})
    shown = plugin.run("plan", "-f", "-", typed=cold).stdout
    assert "COLD: the pod is replaced, a gap of" in shown
    assert "unchanged" in plugin.run("plan", "-f", "-", typed=job_text(feed)).stdout
    assert feed.job()["metadata"]["generation"] == 1


def test_a_conflict_that_is_foretold_happens(feed: Tenant, plugin: Plugin) -> None:
    text = job_text(feed, "second", symbols=["IBM", "SPY"], heartbeat={"document": "second"})
    code, found = findings(plugin, text)
    assert (code, [each["message"] for each in found]) == (
        1, [f"{feed.name}/feed already writes SPY to live_quotes: this job would be Stalled (DocumentConflict)."],
    )  # fmt: skip
    feed.kubectl.apply([json.loads(text)])
    status = feed.settled("DocumentConflict", "second")
    assert f"Job {feed.name}/feed of the same tenant" in json.dumps(status)


def test_a_denial_that_is_foretold_happens_in_the_same_words(feed: Tenant, plugin: Plugin, policy: str) -> None:
    text = job_text(feed, "second", symbols=["IBM", "TSLA"], heartbeat={"document": "second"})
    code, found = findings(plugin, text)
    assert (code, found[0]["topic"], policy in found[0]["message"]) == (1, "policy", True)
    feed.kubectl.apply([json.loads(text)])
    assert feed.settled("QuotaExceeded", "second")["policy"]["denied"] == found[0]["message"]


def test_a_refusal_is_explained(feed: Tenant, plugin: Plugin) -> None:
    # The comment makes it YAML: kubectl reads a text that begins with a brace as JSON.
    text = "# A feed.\n" + job_text(feed, symbols=["ON", "aapl"], heartbeat={"intervalSeconds": 99})
    yaml = text.replace('"ON"', "ON")
    done = plugin.run("plan", "-f", "-", typed=yaml)
    assert done.returncode == 1
    said = " ".join(done.stdout.split())
    assert 'spec.symbols[0] is true: YAML reads ON as a boolean; write "ON".' in said
    assert 'spec.symbols[1] is "aapl": a symbol is in upper case' in said
    assert "spec.heartbeat.intervalSeconds is 99: set it to a number from 1 to 30." in said
    unknown = plugin.run("plan", "-f", "-", typed=job_text(feed, symbolz=["SPY"]))
    assert "unknown field spec.symbolz; did you mean spec.symbols?" in unknown.stdout


def test_a_stop_by_another_manager_that_the_apply_would_undo_is_named(feed: Tenant, plugin: Plugin) -> None:
    feed.run("patch", "ij", "feed", "--type=merge", "--field-manager=sluice", "-p", '{"spec":{"enabled":false}}')
    code, found = findings(plugin, job_text(feed, enabled=True))
    assert (code, [each["topic"] for each in found]) == (0, ["git", "overwrite"])
    assert found[1]["message"].startswith("sluice set spec.enabled to false at ")
    code, found = findings(plugin, job_text(feed))
    assert (code, found) == (0, [])
    server_side = plugin.run(
        "plan", "-f", "-", "--server-side", "--field-manager=argocd", typed=job_text(feed, enabled=True)
    )
    assert server_side.returncode == 1
    assert "sluice owns spec.enabled" in server_side.stdout


def test_files_and_folders_with_other_kinds_are_read(feed: Tenant, plugin: Plugin, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(job_text(feed))
    (tmp_path / "other.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n")
    done = plugin.run("plan", "-f", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "Ignored, because they are not IngestJobs: ConfigMap/other" in done.stdout


def test_an_api_server_that_does_not_answer_has_its_own_exit_code(plugin: Plugin, tmp_path: Path) -> None:
    cluster = {"name": "x", "cluster": {"server": "https://127.0.0.1:9"}}
    context = {"name": "x", "context": {"cluster": "x", "user": "x"}}
    config = tmp_path / "config"
    config.write_text(json.dumps({"clusters": [cluster], "contexts": [context], "current-context": "x"}))
    text = json.dumps(document_of("IngestJob", {"name": "feed", "namespace": "acme"}, {}))
    done = plugin.run("plan", "-f", "-", f"--kubeconfig={config}", typed=text)
    assert (done.returncode, done.stdout) == (3, "")
