import json
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest

from sluice_cli.commands.arguments import argument_parser
from sluice_cli.commands.context import UsageError
from sluice_cli.commands.report import run_report
from sluice_cli.transport import Request, Result
from support.fake_kubectl import Console, FakeKubectl, FakeRequest, condition, job, pause

SYSTEM = "/api/v1/namespaces/sluice-system"
# One secret for each place, so that a failure names the place.
PLANTED = {
    "the annotation of the job": "planted-in-annotation-1",
    "a variable of the job": "planted-in-variable-2",
    "a variable of the pod": "planted-in-pod-3",
    "a line of the log": "planted-in-log-4",
    "the message of an event": "planted-in-event-5",
    "the message of the status": "planted-in-status-6",
    "the spec": "planted-in-spec-7",
    "the reason of a pause": "planted-in-pause-8",
    "the arguments of the operator": "planted-in-arguments-9",
    "the annotation of a pod": "planted-in-annotation-10",
    "an error of kubectl": "planted-in-error-11",
}


def cluster() -> FakeKubectl:
    """Return a cluster with a secret in each place."""
    failed = condition("Ready", "False", "BackingOff", f"proxy http://a:{PLANTED['the message of the status']}@x")
    document = job("feed", "acme", failed)
    document["metadata"]["annotations"] = {
        "kubectl.kubernetes.io/last-applied-configuration": PLANTED["the annotation of the job"]
    }
    document["spec"]["pod"] = {"env": [{"name": "DESK", "value": PLANTED["a variable of the job"]}]}
    document["spec"]["alpaca"]["streamURL"] = f"wss://alice:{PLANTED['the spec']}@stream.example"
    metadata = {"name": "feed-ingest", "namespace": "acme", "labels": {"sluice.dev/job": "feed"}}
    metadata["annotations"] = {"vault/agent": PLANTED["the annotation of a pod"]}
    variable = {"name": "SLUICE_JOB", "value": f'{{"spec": "{PLANTED["a variable of the pod"]}"}}'}
    pod = {"metadata": metadata, "spec": {"containers": [{"name": "ingest", "env": [variable]}]}}
    event = {
        "involvedObject": {"kind": "IngestJob", "name": "feed"},
        "message": f"login failed: token={PLANTED['the message of an event']}",
    }
    arguments = {"name": "operator", "args": [f"--password={PLANTED['the arguments of the operator']}"]}
    operator = {"metadata": {"name": "op", "namespace": "sluice-system"}, "spec": {"containers": [arguments]}}
    kubectl = FakeKubectl(document, pause(reason=f"api key: {PLANTED['the reason of a pause']}"))
    kubectl.answers = {
        "/api/v1/namespaces/acme/pods": {"items": [pod]},
        "/api/v1/namespaces/acme/events": {"items": [event]},
        f"{SYSTEM}/pods": {"items": [operator]},
        f"{SYSTEM}/events": {"items": []},
    }
    line = {
        "message": f"Authorization: Bearer {PLANTED['a line of the log']}",
        "desk": PLANTED["a variable of the job"],
    }
    kubectl.logs = {"feed-ingest": json.dumps(line) + "\n", "op": "started\n"}
    return kubectl


def run(kubectl: FakeKubectl, *words: str) -> tuple[int, Console]:
    console = Console(kubectl)
    options = argument_parser(["report"]).parse_args(["report", *words])
    return run_report(options, console.context), console


def contents(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_no_planted_secret_is_in_the_report(tmp_path: Path) -> None:
    path = tmp_path / "report.zip"
    code, console = run(cluster(), "-o", str(path))
    assert (code, console.errors) == (0, "")
    found = contents(path)
    whole = "\n".join([*found.values(), *console.lines])
    assert {place for place, secret in PLANTED.items() if secret in whole} == set()
    assert found["jobs.json"].count("(redacted)") >= 3
    assert "planted" not in path.read_bytes().decode(errors="replace")


def test_a_planted_secret_is_found_without_redaction() -> None:
    planted = json.dumps([cluster().objects, cluster().answers, cluster().logs])
    missing = {place for place, secret in PLANTED.items() if secret not in planted}
    assert missing == {"an error of kubectl"}


class FailingKubectl(FakeKubectl):
    """A cluster whose logs cannot be read, for a reason that has a secret."""

    def start(self, *arguments: str, text: str | None = None) -> Request:
        if "/log?" in arguments[-1]:
            return FakeRequest(Result(1, "", f"proxy http://a:{PLANTED['an error of kubectl']}@x refused"))
        return super().start(*arguments, text=text)


def test_an_error_of_kubectl_is_redacted(tmp_path: Path) -> None:
    kubectl = FailingKubectl(*cluster().objects)
    kubectl.answers = cluster().answers
    _, console = run(kubectl, "-o", str(tmp_path / "report.zip"))
    whole = "\n".join([*contents(tmp_path / "report.zip").values(), *console.lines])
    assert "logs/acme/feed-ingest.log (proxy http://(redacted)@x refused)" in whole
    assert PLANTED["an error of kubectl"] not in whole


def test_the_report_is_readable_by_its_owner_only_and_says_what_it_contains(tmp_path: Path) -> None:
    path = tmp_path / "report.zip"
    _, console = run(cluster(), "acme/feed", "-o", str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = contents(path)
    assert {"README.txt", "jobs.json", "doctor.txt", "logs/acme/feed-ingest.log"} <= set(found)
    assert "  jobs.json              the IngestJobs with their status" in console.lines
    assert any(line.startswith(f"{path} (") and line.endswith("readable by you only)") for line in console.lines)
    assert json.loads(found["doctor.json"])["kind"] == "DoctorReport"


def test_an_existing_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "report.zip"
    path.write_text("mine")
    code, console = run(cluster(), "-o", str(path))
    assert (code, path.read_text()) == (1, "mine")
    assert "Name another file with -o." in console.errors


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    code, console = run(cluster(), "-o", str(tmp_path / "none/report.zip"))
    assert code == 1
    assert "cannot be written: No such file or directory" in console.errors


def test_the_name_has_the_time_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(cluster())[0] == 0
    assert [each.name for each in tmp_path.iterdir()] == ["sluice-report-20261127T140000Z.zip"]


def test_an_unknown_job_writes_nothing(tmp_path: Path) -> None:
    code, console = run(cluster(), "fed", "-o", str(tmp_path / "report.zip"))
    assert code == 1
    assert "Did you mean feed?" in console.errors
    assert list(tmp_path.iterdir()) == []


def test_the_number_of_lines_is_positive() -> None:
    options: Any = argument_parser(["report"]).parse_args(["report", "--lines", "0"])
    with pytest.raises(UsageError, match="--lines"):
        run_report(options, Console(cluster()).context)
