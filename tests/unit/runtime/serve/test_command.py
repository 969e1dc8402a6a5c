import socket
from pathlib import Path

import pytest

from sluice_runtime.__main__ import main

HEADER = "time_ms,symbol,bid,bid_size,ask,ask_size,exchange\n"


@pytest.fixture
def tape(tmp_path: Path) -> str:
    path = tmp_path / "day.csv"
    path.write_text(HEADER + "1795860000000,SPY,600.01,100,600.03,200,V\n")
    return str(path)


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 2
    return capsys.readouterr().err.removeprefix("sluice-runtime: ").strip()


def test_what_cannot_be_served_is_explained(capsys: pytest.CaptureFixture[str], tape: str, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("- kind: 499\n  afterSeconds: 1\n  forSeconds: 1\n")
    serve = ("serve", "--tape", tape)

    assert "the tape none.csv does not exist" in refusal(capsys, "serve", "--tape", "none.csv")
    assert "give --clients FILE, or set SLUICE_SERVE_KEY" in refusal(capsys, *serve, "--host", "0.0.0.0")
    assert "wrong.yaml: Invalid enum value '499'" in refusal(capsys, *serve, "--faults", str(wrong))
    assert "wrong.yaml: " in refusal(capsys, *serve, "--clients", str(wrong))
    assert "correct --faults" in refusal(capsys, *serve, "--faults", "none.yaml")
    assert "check --tls-cert and --tls-key" in refusal(capsys, *serve, "--tls-cert", "none.pem")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "is in use; stop the other program" in refusal(capsys, *serve, "--port", str(taken.getsockname()[1]))


def test_plain_ws_beyond_this_machine_needs_an_option(
    capsys: pytest.CaptureFixture[str], tape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_SERVE_KEY", "key")
    assert "set both" in refusal(capsys, "serve", "--tape", tape)
    monkeypatch.setenv("SLUICE_SERVE_SECRET", "hidden")
    said = refusal(capsys, "serve", "--tape", tape, "--host", "0.0.0.0")
    assert "or --insecure if TLS ends before this server" in said
    assert "hidden" not in said


def test_a_sample_tape(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "day.csv.gz"
    arguments = ["sample-tape", str(path), "--minutes", "1"]

    assert main([*arguments, "--symbols", "spy, BRK.B"]) == 0
    assert capsys.readouterr().out == f"wrote {path}: 1 minutes of SPY, BRK.B\n"
    assert "the file is not empty; name another file" in refusal(capsys, *arguments)
    assert "symbols are written like AAPL" in refusal(capsys, *arguments, "--symbols", "a b")
    assert "--minutes is below 1" in refusal(capsys, "sample-tape", str(path), "--minutes", "0")
