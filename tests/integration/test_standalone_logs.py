"""The log lines of a runtime without Kubernetes, as its user reads them: each kind, its rate and its sums.

Looked for besides: the same lines in a pod (test_logs), and after a failed write (unit tests of the logged sink).
"""

from __future__ import annotations

import signal
import subprocess
import uuid
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from support.deadlines import scaled
from support.log_lines import problems
from support.site import eventually
from support.standalone import Machine

START_SECONDS, STOP_SECONDS = 40, 20
SECOND = timedelta(seconds=1)


@pytest.fixture
def machine(tmp_path: Path, emulator: str) -> Machine:
    made = Machine(tmp_path, emulator, f"logs-{uuid.uuid4().hex[:8]}")
    made.declare()
    return made


def stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(scaled(STOP_SECONDS)) == 0


def lines_of(machine: Machine, *event_types: str) -> list[dict[str, Any]]:
    return [line for line in machine.log_lines() if line["event_type"] in event_types]


def most_in_a_second(lines: list[dict[str, Any]]) -> int:
    moments = [datetime.fromisoformat(line["ts"]) for line in lines]
    return max(sum(begin <= moment < begin + SECOND for moment in moments) for begin in moments)


def run_until(machine: Machine, count: int, event_type: str) -> None:
    """Run the runtime until it has logged at least `count` lines of one kind, and then to its end."""
    with machine.running() as process:
        eventually(lambda: len(lines_of(machine, event_type)) >= count, seconds=START_SECONDS)
        stop(process)


def test_the_sum_of_the_lines_is_the_number_of_acknowledged_documents(machine: Machine) -> None:
    run_until(machine, 12, "firestore_write")
    written = lines_of(machine, "firestore_write")
    assert most_in_a_second(written) <= 5
    # The sequence number counts the quote documents that were sent; the last ones may not have been acknowledged.
    sent = max(each["seq"] for each in machine.quotes().values())
    assert sent - 2 <= sum(line.get("quotes", 0) for line in written) <= sent
    assert all(line["symbol"] in ("SPY", "AAPL") for line in written)
    assert sum(line["count"] for line in written) > len(written)


def test_each_heartbeat_has_a_line_and_the_last_one_too(machine: Machine) -> None:
    run_until(machine, 4, "heartbeat")
    heartbeats = lines_of(machine, "heartbeat")
    assert heartbeats[-1]["status"] == machine.heartbeat()["status"] == "stopped"
    assert "running" in {line["status"] for line in heartbeats}
    assert heartbeats[-1]["symbols"]["desired"] == 2


def test_a_sampled_quote_has_one_line_per_second_and_symbol(machine: Machine) -> None:
    run_until(machine, 6, "quote")
    for symbol in ("SPY", "AAPL"):
        assert most_in_a_second([line for line in lines_of(machine, "quote") if line["symbol"] == symbol]) <= 2


def test_all_lines_match_the_schema_and_each_kind_is_there(machine: Machine) -> None:
    with machine.running() as process:
        eventually(lambda: lines_of(machine, "firestore_write"), seconds=START_SECONDS)
        assert machine.call("pause", "AAPL", "--reason", "bad prints")[0] == 0
        eventually(lambda: lines_of(machine, "symbol_pause"))
        machine.state("pauses.json").write_text("{")
        eventually(lambda: lines_of(machine, "PAUSE_CHECK_FAILED"))
        machine.post("stop")
        eventually(lambda: len(lines_of(machine, "ingest_switch")) == 2)
        machine.post("start")
        eventually(lambda: len(lines_of(machine, "ingest_switch")) == 3)
        stop(process)
    assert [line["action"] for line in lines_of(machine, "ingest_switch")] == ["resumed", "halted", "resumed"]
    [pause] = lines_of(machine, "symbol_pause")
    assert (pause["symbol"], pause["reason"]) == ("AAPL", "bad prints")
    assert pause["message"] == "[PAUSED] Asset AAPL (quotes) has pause_fetch=true, skipping API fetch"
    assert {"stream", "heartbeat", "quote", "http"} <= {line["event_type"] for line in machine.log_lines()}
    assert [problem for text in machine.log_texts() for problem in problems(text)] == []


def test_a_dry_run_logs_the_same_as_it_would_write(machine: Machine) -> None:
    machine.declare(dryRun=True)
    run_until(machine, 12, "would_write")
    lines = lines_of(machine, "would_write")
    assert most_in_a_second(lines) <= 5
    assert {line.keys() >= {"count", "commits", "symbol", "quotes"} for line in lines} == {True}
    assert {line["symbol"] for line in lines_of(machine, "quote")} == {"SPY", "AAPL"}
    assert {line["dry_run"] for line in lines_of(machine, "heartbeat")} == {True}
    assert lines_of(machine, "firestore_write") == []
    assert machine.quotes() == {}


def test_a_dry_run_without_firestore_also_logs_its_heartbeats_as_such(machine: Machine) -> None:
    machine.without_firestore()
    machine.declare(dryRun=True)
    run_until(machine, 12, "would_write")
    assert "running" in {line.get("status") for line in lines_of(machine, "would_write")}
    assert lines_of(machine, "heartbeat") == []


@pytest.mark.parametrize(("is_dry_run", "event_type"), [(False, "firestore_write"), (True, "would_write")])
def test_each_document_has_a_line_if_all_are_requested(machine: Machine, event_type: str, is_dry_run: bool) -> None:
    machine.environment["LOG_QUOTES"] = "all"
    machine.declare(dryRun=is_dry_run)
    run_until(machine, 20, event_type)
    lines = lines_of(machine, event_type)
    assert {line["count"] for line in lines} == {1}
    assert most_in_a_second(lines) > 5
    assert {line["message"] for line in lines_of(machine, "quote")} == {"quote"}
    if not is_dry_run:
        sent = max(each["seq"] for each in machine.quotes().values())
        # A write in flight when the process ends may be stored without its line.
        assert sent - 2 <= Counter(line.get("quotes") for line in lines)[1] <= sent
