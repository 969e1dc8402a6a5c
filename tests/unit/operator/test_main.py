"""The exit codes of the command `sluice-operator`."""

from __future__ import annotations

from typing import Any

import pytest

from sluice_operator import __main__ as command
from sluice_operator.adapters.access import AccessError


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_RUNTIME_IMAGE", "sluice-runtime:0.1.0")
    monkeypatch.setattr("sluice_operator.logs.configure_logging", lambda _: None)
    monkeypatch.setattr("sluice_operator.allocator.return_freed_memory_to_system", lambda: None)


def replace_operator(monkeypatch: pytest.MonkeyPatch, failure: Exception | None) -> None:
    """Let the operator end at once, with this failure or after a signal."""

    async def create_client(_: Any) -> None:
        if isinstance(failure, AccessError):
            raise failure

    async def run_operator(*_: Any) -> None:
        if failure is not None:
            raise failure

    monkeypatch.setattr(command, "create_client", create_client)
    monkeypatch.setattr(command, "run_operator", run_operator)


@pytest.mark.parametrize(
    ("failure", "code"), [(None, 0), (RuntimeError("kopf has ended"), 1), (AccessError("KUBECONFIG is not set"), 2)]
)
def test_the_exit_code_of_the_operator_says_how_it_ended(
    monkeypatch: pytest.MonkeyPatch, failure: Exception | None, code: int
) -> None:
    replace_operator(monkeypatch, failure)
    assert command.main([]) == code


def test_a_wrong_setting_is_named_and_ends_the_operator(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLUICE_WORKERS", "many")
    assert command.main([]) == 2
    assert "sluice-operator: SLUICE_WORKERS" in capsys.readouterr().err


def test_an_unknown_argument_prints_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["unknown"]) == 2
    assert capsys.readouterr().err.startswith("usage: sluice-operator")


@pytest.mark.parametrize(("found", "code"), [(0, 0), (1, 1), (ValueError("a setting is wrong"), 2)])
def test_the_exit_code_of_a_check_is_that_of_its_findings(
    monkeypatch: pytest.MonkeyPatch, found: int | ValueError, code: int
) -> None:
    async def run_check(*_: Any) -> int:
        if isinstance(found, ValueError):
            raise found
        return found

    monkeypatch.setattr(command, "run_check", run_check)
    assert command.main(["check"]) == code
