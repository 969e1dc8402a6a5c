from pathlib import Path

import pytest

from sluice_runtime import cli
from sluice_runtime.__main__ import main

JOB = "metadata: {name: us}\nspec: {tenant: acme, provider: synthetic, symbols: [SPY]"


def test_without_a_job_the_error_names_what_is_missing_and_the_exit_code_is_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("SLUICE_JOB", "TENANT_ID", "FIRESTORE_TENANT_ID"):
        monkeypatch.delenv(name, raising=False)
    assert main(["run"]) == 2
    output = capsys.readouterr()
    assert output.err.startswith("sluice-runtime: TENANT_ID is not set")
    assert output.out == ""


@pytest.mark.parametrize(
    ("document", "part"),
    [
        (None, "cannot be read"),
        ("{", "is not a valid YAML document"),
        ("{}", "is not an IngestJob"),
        (JOB + ", alpaca: {}}", "spec.alpaca is"),
    ],
)
def test_an_invalid_document_is_reported_with_a_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], document: str | None, part: str
) -> None:
    if document is not None:
        (tmp_path / "job.yaml").write_text(document)
    assert main(["run", "-f", str(tmp_path / "job.yaml")]) == 2
    assert part in capsys.readouterr().err


def test_a_pause_by_command_is_listed_until_it_is_resumed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLUICE_STATE_DIR", str(tmp_path))
    assert main(["paused", "AAPL"]) == 1
    assert main(["pause", "aapl", "BRK.B", "--reason", "bad prints"]) == main(["pause"]) == 0
    assert main(["paused", "AAPL", "BRK.B"]) == 0
    assert main(["resume", "BRK.B"]) == 0
    capsys.readouterr()
    assert main(["paused"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" is paused since ")[0] for line in lines] == ["the whole job", "AAPL"]
    assert lines[1].endswith(": bad prints")
    assert main(["resume"]) == 0
    assert main(["paused", "BRK.B"]) == 1
    assert main(["pause", "A-B"]) == 2


@pytest.mark.parametrize("port", ["0", "80000", "-1", "http"])
def test_an_invalid_port_is_reported(capsys: pytest.CaptureFixture[str], port: str) -> None:
    with pytest.raises(SystemExit) as end:
        main(["run", "--port", port])
    assert end.value.code == 2
    assert "use a number from 1 to 65535" in capsys.readouterr().err


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "soon"])
def test_an_invalid_time_is_reported(capsys: pytest.CaptureFixture[str], seconds: str) -> None:
    with pytest.raises(SystemExit) as end:
        main(["smoke", "--seconds", seconds])
    assert end.value.code == 2
    assert "use a number of seconds above 0" in capsys.readouterr().err


def test_an_interrupted_command_ends_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "run_pause_command", interrupt)
    assert main(["paused"]) == 130
    assert capsys.readouterr().err == ""


def test_a_command_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([])
    assert end.value.code == 2
    assert "sluice-runtime: name a command" in capsys.readouterr().err


def test_a_purge_outside_of_a_pod_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SLUICE_JOB", raising=False)
    assert main(["purge"]) == 2
    assert capsys.readouterr().err.startswith("sluice-runtime: SLUICE_JOB is not set; run this program in a pod")
