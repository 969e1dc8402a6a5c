"""kubectl sluice on a real API server: what it shows, pauses and resumes, and that the commands that it names work."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.plugin import Plugin
from support.site import Tenant, eventually


def named_commands(text: str) -> list[str]:
    """Return the commands that an output names after an arrow."""
    return [line.partition("→ ")[2] for line in text.splitlines() if "→ kubectl" in line]


def count_of_provider(tenant: Tenant, provider: str) -> int:
    """Return how many jobs of all namespaces have a provider. A namespace of another test may still be going."""
    jobs = tenant.kubectl.get("ij", "-A")["items"]
    return sum(each["spec"]["provider"] == provider for each in jobs)


def test_a_pause_is_confirmed_shown_and_ended(feed: Tenant, plugin: Plugin) -> None:
    where = ("-n", feed.name)
    done = plugin.run("pause", "feed", *where, "--for", "30m", "--reason", "vendor incident")
    assert done.returncode == 0, done.stderr
    head, steps, end = done.stdout.splitlines()
    assert head.startswith(f"{feed.name}/feed: pausing until ")
    assert "socket closed" in steps
    assert "acknowledged: no quote is written any more" in steps
    assert end.endswith(f"end it: kubectl sluice resume feed -n {feed.name}")
    written = feed.writes()
    time.sleep(0.5)
    assert feed.writes() == written
    [pause] = feed.kubectl.get("ipause", "-n", feed.name)["items"]
    assert pause["spec"]["by"] == feed.kubectl("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")

    shown = plugin.run("status", "feed", *where).stdout
    assert "‖ Paused" in shown
    assert "resumes in" in shown
    assert "vendor incident" in shown
    assert plugin.run("status", *where, "--check").returncode == 0

    line = end.partition("end it: ")[2]
    resumed = plugin.run_line(line)
    assert (resumed.returncode, resumed.stdout.splitlines()[-1]) == (0, f"● {feed.name}/feed: streaming")
    assert feed.kubectl.get("ipause", "-n", feed.name)["items"] == []


def test_the_same_words_describe_a_pause_by_any_switch(feed: Tenant, plugin: Plugin) -> None:
    where = ("-n", feed.name)
    feed.patch(enabled=False)
    feed.patch(pause={"reason": "vendor incident"})
    plugin.run("pause", "--all", *where, "--reason", "desk closed")
    eventually(lambda: len(feed.job()["status"]["stream"].get("pause", {}).get("sources", [])) == 3)
    shown = plugin.run("status", *where, "--paused").stdout
    positions = [
        shown.index(each) for each in ("pause:all-", "spec.enabled, without", 'spec.pause ("vendor incident")')
    ]
    assert positions == sorted(positions)

    held = plugin.run("resume", "feed", *where)
    assert held.returncode == 1
    assert f"‖ {feed.name}/feed: still paused by" in held.stdout
    commands = named_commands(held.stdout)
    assert len(commands) == 3
    for command in commands:
        plugin.run_line(command)
    feed.settled("Streaming")
    assert plugin.run("resume", "feed", *where).returncode == 0


def test_one_symbol_is_paused_and_resumed(feed: Tenant, plugin: Plugin) -> None:
    where = ("-n", feed.name)
    done = plugin.run("pause", "feed", *where, "--symbols", "AAPL", "--reason", "bad prints")
    assert (done.returncode, done.stderr) == (0, "")
    assert "no quote of these symbols is written any more" in done.stdout
    shown = plugin.run("status", "feed", *where).stdout
    assert "● Running" in shown
    [command] = named_commands(shown)
    ended = plugin.run_line(command)
    assert ended.returncode == 0, ended.stdout
    eventually(lambda: "pausedSymbols" not in feed.job()["status"]["stream"]["symbols"])


def test_the_fleet_is_paused_by_provider_after_its_number_was_typed(tenant: Tenant, plugin: Plugin) -> None:
    tenant.apply(provider="ibkr", ibkr={"host": "127.0.0.1", "port": 9})
    tenant.settled("BackingOff")
    eventually(lambda: count_of_provider(tenant, "ibkr") == 1, 60)
    words = ("pause", "--fleet", "--provider", "ibkr", "--reason", "gateway maintenance")
    refused = plugin.run(*words, typed="99\n")
    assert (refused.returncode, refused.stderr.splitlines()[-1]) == (1, "Nothing was paused.")
    done = plugin.run(*words, typed="1\n")
    assert done.returncode == 0, done.stderr
    assert f"{tenant.name}/feed" in plugin.run("status", "-A", "--paused").stdout
    ended = plugin.run_line(done.stdout.partition("end it: ")[2].strip() + " --timeout 2s")
    assert ended.stdout.startswith("deleted clusterpause/ibkr-")
    assert ended.returncode == 1  # the gateway cannot be reached, so the job does not stream
    assert "not streaming yet (Degraded BackingOff)" in ended.stdout


def test_a_job_that_cannot_stream_says_what_to_do(tenant: Tenant, plugin: Plugin) -> None:
    tenant.apply(provider="alpaca", alpaca={"credentialsSecretRef": {"name": "none"}})
    tenant.settled("SecretIncomplete")
    done = plugin.run("status", "-n", tenant.name, "--check")
    assert done.returncode == 1
    assert "✗" in done.stdout
    assert "Blocked SecretIncomplete" in done.stdout
    assert "→ Create the Secret with the keys that the message names" in done.stdout
    found = json.loads(plugin.run("status", "-n", tenant.name, "-o", "json").stdout)
    assert (found["apiVersion"], found["items"][0]["state"]["level"]) == ("cli.sluice.dev/v1", "needsAction")


def test_a_restart_shows_its_gap_which_the_history_keeps(feed: Tenant, plugin: Plugin) -> None:
    where = ("-n", feed.name)
    [before] = feed.pods()
    done = plugin.run("restart", "feed", *where, "--timeout", "50s")
    assert done.returncode == 0, done.stdout + done.stderr
    steps, last = done.stdout.splitlines()[1:-1], done.stdout.splitlines()[-1]
    assert [line.partition(" s  ")[2] for line in steps] == [
        "the old pod has ended",
        "the new pod reports",
        "the stream is live",
    ]
    assert last.startswith(f"● {feed.name}/feed: streaming · it cost a gap of ")
    [after] = feed.pods()
    assert after["metadata"]["uid"] != before["metadata"]["uid"]

    plugin.run("pause", "feed", *where, "--reason", "vendor incident")
    refused = plugin.run("restart", "feed", *where)
    assert refused.returncode == 1
    assert "is paused, so there is no stream to restart" in refused.stderr
    shown = plugin.run("history", *where, "--since", "10m").stdout
    assert "gap    " in shown
    assert ", restart, until " in shown
    assert "pod    feed-ingest created for epoch" in shown
    assert "in force, without an end" in " ".join(shown.split())
    gaps = json.loads(plugin.run("history", "feed", *where, "--gaps", "-o", "json").stdout)
    assert {each["kind"] for each in gaps["items"]} == {"gap"}


def test_the_pod_names_each_symbol_and_its_log_is_for_people(tenant: Tenant, plugin: Plugin) -> None:
    tenant.apply(
        symbols=["SPY", "AAPL"], pausedSymbols=[{"symbol": "AAPL", "reason": "bad prints"}], http={"public": True}
    )
    tenant.settled("Streaming")
    where = ("feed", "-n", tenant.name)
    shown = plugin.run("symbols", *where).stdout
    assert f"{tenant.name}/feed: 1 paused · 1 " in shown
    assert shown.splitlines()[-1].endswith(", by the pod")
    [words] = [line.split() for line in shown.splitlines() if "AAPL" in line]
    assert words[:3] == ["‖", "AAPL", "paused"]
    assert words[-2:] == ["bad", "prints"]
    log = plugin.run("logs", *where, "--tail", "50")
    assert log.returncode == 0
    assert " INFO " in log.stdout
    link = plugin.run("open", *where, "--page", "https://feeds.example.com").stdout
    assert link == f"https://feeds.example.com/?tenant={tenant.name}&feed=market_ingest\n"


@pytest.fixture
def watcher(feed: Tenant, plugin: Plugin) -> Iterator[subprocess.Popen[str]]:
    """A watch of the tenant's jobs whose output is a pipe."""
    command = [str(plugin.program), "status", "-w", "-n", feed.name]
    with subprocess.Popen(command, env=plugin.environment, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.terminate()


def test_a_watch_appends_a_line_for_each_change(feed: Tenant, watcher: subprocess.Popen[str]) -> None:
    assert watcher.stdout is not None
    assert "Running" in watcher.stdout.readline()
    feed.patch(enabled=False)
    while "Paused" not in (line := watcher.stdout.readline()):
        assert "Pausing" in line


def test_kubectl_completes_the_names_of_jobs(feed: Tenant, plugin: Plugin) -> None:
    done = plugin.run_line(f"kubectl __complete sluice pause -n {feed.name} ''")
    assert done.stdout.splitlines()[0] == "feed"


def test_an_api_server_that_does_not_answer_has_its_own_exit_code(plugin: Plugin, tmp_path: Path) -> None:
    cluster = {"name": "x", "cluster": {"server": "https://127.0.0.1:9"}}
    context = {"name": "x", "context": {"cluster": "x", "user": "x"}}
    config = tmp_path / "config"
    config.write_text(json.dumps({"clusters": [cluster], "contexts": [context], "current-context": "x"}))
    done = plugin.run("status", "-A", f"--kubeconfig={config}")
    assert done.returncode == 3
    assert done.stderr.startswith("kubectl: ")
