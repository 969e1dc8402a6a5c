"""kubectl sluice doctor, report and purge on a real API server, with a real Firestore emulator."""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.plugin import Plugin
from support.site import Tenant, eventually

PLANTED = {
    "annotation": "planted-in-annotation-1",
    "event": "planted-in-event-3",
    "pause": "planted-in-pause-4",  # and therefore in the status, in events and in the logs
    "value of a Secret": "planted-in-secret-5",
}


@pytest.fixture
def feed(feed: Tenant) -> Iterator[Tenant]:
    """A tenant whose job streams. Its pauses are deleted at the end."""
    yield feed
    feed.run("delete", "ipause", "--all")


def findings(plugin: Plugin, *words: str) -> tuple[int, list[dict[str, Any]]]:
    """Return the exit code and the findings of a doctor."""
    done = plugin.run("doctor", *words, "-o", "json")
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)["findings"]


def test_a_healthy_job_has_no_finding(feed: Tenant, plugin: Plugin) -> None:
    done = plugin.run("doctor", "feed", "-n", feed.name)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "Nothing needs a look."
    assert "Not visible" not in done.stdout


def test_each_finding_says_what_to_do_and_its_command_works(feed: Tenant, plugin: Plugin) -> None:
    own = {"symbols": ["MSFT"], "heartbeat": {"document": "blocked"}}
    feed.apply("blocked", provider="alpaca", alpaca={"credentialsSecretRef": {"name": "none"}}, **own)
    feed.settled("SecretIncomplete", "blocked")
    feed.kubectl.apply(
        [
            {
                "apiVersion": "sluice.dev/v1alpha1",
                "kind": "IngestPause",
                "metadata": {"name": "over", "namespace": feed.name},
                "spec": {"jobs": ["other"], "reason": "short", "until": "2026-01-01T00:00:00Z"},
            }
        ]
    )
    code, found = findings(plugin, "-n", feed.name)
    assert code == 1
    by_check = {each["check"]: each for each in found}
    assert {"job", "secret", "pause"} <= set(by_check)
    assert by_check["job"]["about"] == f"{feed.name}/blocked"
    assert "SecretIncomplete" in by_check["job"]["message"]
    assert by_check["secret"]["command"].startswith(f"kubectl create secret generic none -n {feed.name}")
    assert plugin.run_line(by_check["pause"]["command"]).returncode in (0, 1)
    assert plugin.run_line(by_check["secret"]["command"]).returncode == 0
    _, found = findings(plugin, "-n", feed.name)
    assert {"secret", "pause"} & {each["check"] for each in found} == set()


def test_no_planted_secret_is_in_a_report(feed: Tenant, plugin: Plugin, tmp_path: Path) -> None:
    feed.run("annotate", "ij", "feed", f"vault.example/login={PLANTED['annotation']}")
    secret = ("create", "secret", "generic", "vault", f"--from-literal=key={PLANTED['value of a Secret']}")
    feed.run(*secret)
    paused = plugin.run("pause", "feed", "-n", feed.name, "--reason", f"api key: {PLANTED['pause']}")
    assert paused.returncode == 0
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "planted", "namespace": feed.name},
        "involvedObject": {"kind": "IngestJob", "name": "feed", "namespace": feed.name},
        "message": f"login with token={PLANTED['event']} failed",
        "reason": "Planted",
        "type": "Warning",
    }
    feed.kubectl.apply([event])
    path = tmp_path / "report.zip"
    done = plugin.run("report", "feed", "-n", feed.name, "-o", str(path))
    assert (done.returncode, done.stderr) == (0, "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    assert f"logs/{feed.name}/feed-ingest.log" in files
    assert any(name.startswith("logs/sluice-system/sluice-operator-") for name in files)
    assert '"reason": "Planted"' in files["events.json"]
    assert "api key: (redacted)" in files[f"logs/{feed.name}/feed-ingest.log"]
    assert "api key: (redacted)" in files["jobs.json"]
    whole = "\n".join([*files.values(), done.stdout])
    assert {place for place, value in PLANTED.items() if value in whole} == set()


def test_the_documents_of_a_job_are_deleted_and_then_the_job(feed: Tenant, plugin: Plugin) -> None:
    where = ("-n", feed.name)
    refused = plugin.run("purge", "feed", *where, typed="feed\n")
    assert (refused.returncode, refused.stdout) == (1, "")
    [command] = [line.partition("→ ")[2] for line in refused.stderr.splitlines() if "→ " in line]
    assert plugin.run_line(command).returncode == 0
    counted = plugin.run("purge", "feed", *where, "--dry-run", "-o", "json")
    found = json.loads(counted.stdout)["found"]
    assert found["quotes"] > 0
    assert found["heartbeats"] == 1
    done = plugin.run("purge", "feed", *where, "--delete-job", typed="feed\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{feed.name}/feed: deleted {found['quotes']} quotes" in done.stdout
    assert feed.kubectl.get("ij", "-n", feed.name)["items"] == []
    eventually(lambda: feed.kubectl.get("pods", "-n", feed.name)["items"] == [])
    assert feed.writes() == {}
    assert feed.heartbeat().get("job") != f"{feed.name}/feed"
