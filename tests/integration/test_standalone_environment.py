"""The variables that apply to a standalone runtime with a document, as its users set them."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from sluice_devcluster.emulator_documents import PROJECT, read_collection
from support.deadlines import scaled
from support.site import eventually
from support.standalone import Machine

ALPACA = {"provider": "alpaca", "synthetic": None, "alpaca": {"credentialsSecretRef": {"name": "alpaca"}}}
KEYS = ("ALPACA_KEY_ID", "ALPACA_API_KEY", "APCA_API_KEY_ID", "ALPACA_SECRET_KEY", "APCA_API_SECRET_KEY")


@pytest.fixture
def machine(tmp_path: Path, emulator: str) -> Machine:
    """Return a machine without keys, whose document names no project."""
    made = Machine(tmp_path, emulator, f"variables-{uuid.uuid4().hex[:8]}")
    for name in (*KEYS, "FIRESTORE_PROJECT_ID", "FIREBASE_PROJECT_ID", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT"):
        made.environment.pop(name, None)
    made.declare(firestore={})
    return made


@pytest.mark.parametrize("project", ["", "demo-sluice-other"])
def test_a_document_without_a_project_is_written_to_that_of_the_variable_or_of_the_emulator(
    machine: Machine, emulator: str, project: str
) -> None:
    machine.environment["FIRESTORE_PROJECT_ID"] = project
    tenant = json.loads(machine.document.read_text())["spec"]["tenant"]
    with machine.running():
        eventually(lambda: read_collection(emulator, f"tenants/{tenant}/live_quotes", project or PROJECT), seconds=60)
    place = f"documents are in project {project or PROJECT}, database (default) of the Firestore emulator at {emulator}"
    assert machine.logged("firestore") == [place]


@pytest.mark.parametrize("variables", [{"DRY_RUN": "1"}, {}])
def test_a_dry_run_of_a_document_that_names_a_secret_needs_no_keys(machine: Machine, variables: dict[str, str]) -> None:
    machine.environment.update(variables)
    machine.declare(**ALPACA, dryRun=not variables)
    with machine.running():
        eventually(lambda: machine.logged("would_write"), seconds=60)
        assert machine.status()["heartbeat"]["dryRun"] is True


def test_a_stream_that_is_not_dry_needs_keys(machine: Machine) -> None:
    machine.declare(**ALPACA)
    code, said = machine.complaint("run", "-f", str(machine.document), "--port", str(machine.port))
    assert (code, "ALPACA_KEY_ID" in said) == (2, True), said


def test_simulated_quotes_are_not_written_when_the_document_ends_its_dry_run(machine: Machine) -> None:
    machine.declare(**ALPACA, dryRun=True)
    with machine.running():
        eventually(lambda: machine.logged("would_write"), seconds=60)
        machine.declare(**ALPACA, dryRun=False)
        eventually(lambda: any("restart" in line for line in machine.logged("reload")))
        assert machine.status()["heartbeat"]["dryRun"] is True
        assert machine.quotes() == {}


def test_stop_after_seconds_pauses_the_job_and_ends_the_process_with_code_0(machine: Machine) -> None:
    machine.environment["STOP_AFTER_SECONDS"] = "4"
    machine.declare()
    for _ in range(2):  # an automatic stop does not keep the next start from streaming
        with machine.running() as process:
            eventually(machine.quotes, seconds=60)
            assert process.wait(scaled(60)) == 0
        assert any(line.startswith("ingest is halted by autoStop") for line in machine.logged("ingest_switch"))
        assert machine.logged("stream")[-2:] == [
            "the time of STOP_AFTER_SECONDS is over and the job is paused; exiting",
            "shutdown complete",
        ]
        assert machine.heartbeat()["status"] == "stopped"


def test_stop_after_seconds_ends_a_process_that_another_switch_pauses(machine: Machine) -> None:
    machine.environment |= {"STOP_AFTER_SECONDS": "4", "INGEST_ENABLED": "0"}
    machine.declare()
    with machine.running() as process:
        assert process.wait(scaled(60)) == 0
    assert machine.quotes() == {}


def test_a_limit_of_the_document_pauses_the_job_and_the_process_stays(machine: Machine) -> None:
    machine.declare(autoStop={"afterSeconds": 1})
    with machine.running() as process:
        eventually(lambda: machine.status().get("pausedBy") == ["autoStop"], seconds=60)
        eventually(lambda: machine.heartbeat()["status"] == "paused")
        assert process.poll() is None


def test_a_smoke_test_that_ends_early_by_stop_after_seconds_passes(machine: Machine) -> None:
    machine.environment["STOP_AFTER_SECONDS"] = "8"
    code, output = machine.call("smoke", "-f", str(machine.document), "--seconds", "300")
    assert (code, "PASS: " in output) == (0, True), output
