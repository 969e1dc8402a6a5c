import pytest

from sluice_runtime.__main__ import main


def test_without_a_pod_it_says_what_is_missing_and_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SLUICE_JOB", raising=False)
    assert main(["run"]) == 2
    told = capsys.readouterr()
    assert told.err == "sluice-runtime: SLUICE_JOB is not set: this program runs in a pod that sluice-operator made\n"
    assert told.out == ""


def test_a_command_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([])
    assert end.value.code == 2
    assert "usage: sluice-runtime" in capsys.readouterr().err
