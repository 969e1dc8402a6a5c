"""The runtime without Kubernetes, as its users use it: commands, a document, signals, and Firestore."""

from __future__ import annotations

import signal
import socket
import subprocess
import uuid
from pathlib import Path

import pytest

from support.deadlines import scaled
from support.site import eventually
from support.standalone import Machine


@pytest.fixture
def machine(tmp_path: Path, emulator: str) -> Machine:
    made = Machine(tmp_path, emulator, f"alone-{uuid.uuid4().hex[:8]}")
    made.declare()
    return made


def stop(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(scaled(20))


def is_in_state(machine: Machine, state: str) -> bool:
    return machine.status().get("state") == state


def test_a_document_becomes_quotes_until_sigterm_shuts_the_runtime_down(machine: Machine) -> None:
    with machine.running() as process:
        eventually(lambda: machine.quotes().keys() == {"SPY", "AAPL"}, seconds=40)
        eventually(lambda: machine.heartbeat()["status"] == "running")
        status = machine.status()
        assert (status["state"], status["pausedBy"]) == ("Live", [])
        assert stop(process) == 0
    last = machine.heartbeat()
    assert (last["status"], last["job"]) == ("stopped", "default/us")
    assert machine.logged("stream")[-1] == "shutdown complete"


def test_a_later_start_takes_over_the_documents_of_an_earlier_one(machine: Machine) -> None:
    epochs = []
    for _ in range(2):
        with machine.running() as process:
            eventually(lambda: is_in_state(machine, "Live"), seconds=40)
            assert stop(process) == 0
        epochs.append(machine.heartbeat()["epoch"])
    assert epochs[0] < epochs[1]


def test_a_pause_by_command_takes_effect_and_outlives_a_restart(machine: Machine) -> None:
    with machine.running() as process:
        eventually(lambda: is_in_state(machine, "Live"), seconds=40)
        eventually(machine.quotes)
        assert machine.call("pause", "AAPL")[0] == 0
        eventually(lambda: machine.status()["pausedSymbols"] == ["AAPL"])
        eventually(lambda: machine.quotes()["AAPL"]["status"] == "paused")
        assert machine.call("pause", "--reason", "bad prints")[0] == 0
        eventually(lambda: is_in_state(machine, "Paused"))
        eventually(lambda: machine.heartbeat()["status"] == "paused")
        assert machine.heartbeat()["pause_reason"] == "bad prints"
        assert stop(process) == 0
    before = machine.quotes()
    with machine.running() as process:
        eventually(lambda: is_in_state(machine, "Paused"), seconds=40)
        assert machine.quotes() == before
        assert machine.call("resume", "AAPL")[0] == machine.call("resume")[0] == 0
        eventually(lambda: is_in_state(machine, "Live"))
        eventually(lambda: {each["status"] for each in machine.quotes().values()} == {"live"})
        assert machine.status()["pausedSymbols"] == []
        assert stop(process) == 0


def test_a_new_start_clears_an_automatic_stop(machine: Machine) -> None:
    machine.declare(autoStop={"afterSeconds": 1})
    with machine.running() as process:
        eventually(lambda: machine.status().get("pausedBy") == ["autoStop"], seconds=40)
        assert stop(process) == 0
    machine.declare(autoStop={"afterSeconds": 600})
    with machine.running() as process:
        eventually(lambda: is_in_state(machine, "Live"), seconds=40)
        assert stop(process) == 0


def test_sighup_applies_the_document_on_the_running_connection(machine: Machine) -> None:
    with machine.running() as process:
        eventually(lambda: is_in_state(machine, "Live"), seconds=40)
        before = machine.status()["heartbeat"]["sessionID"]
        machine.declare(symbols=["MSFT"])
        process.send_signal(signal.SIGHUP)
        eventually(lambda: machine.status()["symbols"]["confirmed"] == 1)
        eventually(lambda: "MSFT" in machine.quotes())
        eventually(lambda: any("changed: spec.symbols" in line for line in machine.logged("reload")))
        assert machine.status()["heartbeat"]["sessionID"] == before
        assert stop(process) == 0


def test_a_reload_sighup_and_a_new_start_write_deleted_documents_again(machine: Machine) -> None:
    tape = "time_ms,symbol,bid,bid_size,ask,ask_size,exchange\n0,SPY,500,1,501,1,V\n100000000,SPY,502,1,503,1,V\n"
    machine.document.with_name("day").write_text(tape)
    replay = {"tape": {"configMapRef": {"name": "t", "key": "day"}}}
    machine.declare(provider="replay", synthetic=None, symbols=["SPY"], replay=replay)
    for request in (lambda _: machine.post("reload"), lambda process: process.send_signal(signal.SIGHUP)):
        with machine.running() as process:
            eventually(lambda: "SPY" in machine.quotes(), seconds=40)
            machine.delete_quote("SPY")
            assert machine.quotes() == {}
            request(process)
            eventually(lambda: machine.quotes().get("SPY", {}).get("bid") == 500)
            machine.delete_quote("SPY")
            assert stop(process) == 0


@pytest.mark.parametrize("content", ["{", "{metadata: {name: us}, spec: {pause: {until: 2026-02-30}}}"])
def test_a_document_that_becomes_invalid_does_not_change_the_stream(machine: Machine, content: str) -> None:
    with machine.running() as process:
        eventually(lambda: is_in_state(machine, "Live"), seconds=40)
        machine.document.write_text(content)
        process.send_signal(signal.SIGHUP)
        eventually(lambda: any("the last version stays in force" in line for line in machine.logged("reload")))
        machine.declare(symbols=["MSFT"])
        eventually(lambda: "MSFT" in machine.quotes())
        assert stop(process) == 0


def test_smoke_reports_the_quotes_that_were_written_or_why_none_were(machine: Machine) -> None:
    code, output = machine.call("smoke", "-f", str(machine.document), "--seconds", "3")
    verdict = output.splitlines()[-1]
    assert (code, verdict[:6]) == (0, "PASS: ")
    assert verdict.endswith("were written to Firestore")
    assert "live_quotes)" in verdict
    assert machine.heartbeat()["status"] == "stopped"
    machine.declare(enabled=False)
    code, output = machine.call("smoke", "-f", str(machine.document), "--seconds", "3")
    assert (code, output.splitlines()[-1][:6]) == (0, "PASS: ")
    assert "no quote documents" in output
    assert "the job is paused by spec.enabled" in output


def test_a_smoke_test_of_a_running_runtime_passes_and_leaves_it_stopped(machine: Machine) -> None:
    with machine.running() as process:
        eventually(lambda: is_in_state(machine, "Live"), seconds=40)
        code, output = machine.call("smoke", "--base-url", machine.url, "--seconds", "20")
        assert (code, output.splitlines()[-1][:6]) == (0, "PASS: ")
        assert machine.status()["pausedBy"] == ["api"]
        assert stop(process) == 0


def test_a_port_in_use_is_reported(machine: Machine) -> None:
    machine.declare()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, said = machine.complaint("run", "-f", str(machine.document), "--port", port)
    assert code == 2
    assert f"the HTTP interface cannot be opened on port {port}: " in said
    assert "Traceback" not in said


def test_a_full_disk_ends_the_recording_and_not_the_stream(machine: Machine) -> None:
    machine.declare(synthetic={"quotesPerSecond": 500})
    with machine.running("--record", "/dev/full") as process:
        eventually(lambda: machine.logged("record"))
        seen = eventually(lambda: machine.quotes().get("AAPL"))
        eventually(lambda: machine.quotes()["AAPL"]["ts"] > seen["ts"])
        assert stop(process) == 0


def test_a_dry_run_needs_no_credentials(machine: Machine) -> None:
    machine.without_firestore()
    machine.declare(dryRun=True)
    code, said = machine.call("smoke", "-f", str(machine.document), "--seconds", "4")
    assert (code, said.splitlines()[-1].endswith("live_quotes) would have been written")) == (0, True)
    with machine.running() as process:
        eventually(lambda: machine.logged("would_write"))
        assert machine.status()["sink"]["healthy"] is True
        assert machine.logged("firestore_write")[0].startswith("dry run without Firestore: there are no usable")
        assert stop(process) == 0


def test_without_credentials_only_a_dry_run_starts(machine: Machine) -> None:
    machine.without_firestore()
    code, said = machine.complaint("run", "-f", str(machine.document))
    assert code == 2
    assert "there are no usable credentials for Firestore" in said
    assert "Traceback" not in said


def test_a_document_can_be_read_from_a_pipe(machine: Machine) -> None:
    command = f"cat {machine.document} | {' '.join(machine.command('smoke', '-f', '/dev/stdin', '--seconds', '4'))}"
    done = subprocess.run(["sh", "-c", command], env=machine.environment, capture_output=True, text=True, check=False)
    assert (done.returncode, "were written to Firestore" in done.stdout) == (0, True), done.stderr


def test_a_closed_log_pipe_does_not_end_the_runtime(machine: Machine) -> None:
    run = machine.command("run", "-f", str(machine.document), "--port", str(machine.port))
    with subprocess.Popen(
        run, env=machine.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        eventually(lambda: is_in_state(machine, "Live"), seconds=40)
        eventually(lambda: machine.quotes().get("AAPL", {}).get("seq", 0) > 3)
        process.send_signal(signal.SIGTERM)
        _, complaints = process.communicate(timeout=scaled(20))
    assert (process.returncode, complaints) == (0, "")


def test_an_epoch_from_a_clock_that_was_ahead_does_not_block_later_starts(machine: Machine) -> None:
    with machine.running() as process:
        eventually(lambda: is_in_state(machine, "Live"), seconds=40)
        assert stop(process) == 0
    later = machine.heartbeat()["epoch"] + 3_600_000
    machine.put_epoch(later)
    with machine.running() as process:
        eventually(lambda: machine.heartbeat()["epoch"] == later + 1, seconds=40)
        eventually(lambda: is_in_state(machine, "Live"))
        assert stop(process) == 0


def test_a_stopped_job_stays_stopped_and_reports_it_when_its_file_is_damaged(machine: Machine) -> None:
    with machine.running() as process:
        eventually(lambda: is_in_state(machine, "Live"), seconds=40)
        machine.post("stop")
        assert stop(process) == 0
    machine.state("switches.json").write_text('[{"source":"api","pauses":true}')
    with machine.running() as process:
        eventually(lambda: machine.logged("PAUSE_CHECK_FAILED"), seconds=40)
        assert stop(process) == 0
