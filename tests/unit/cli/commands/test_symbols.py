from __future__ import annotations

import json

import pytest

from sluice_cli.commands import symbols as module
from sluice_cli.commands.arguments import argument_parser
from sluice_cli.commands.pod_http import PodUnreachableError
from sluice_cli.commands.symbols import run_symbols
from support.fake_kubectl import Console, FakeKubectl, job

REPORTS = [{"symbol": "SPY", "state": "confirmed", "freshness": "live"}, {"symbol": "ON", "freshness": "stale"}]
DOCUMENT = job(symbols={"staleSymbols": ["ON"]}, freshness={"live": 2, "stale": 1})


def run(words: str) -> tuple[int, Console]:
    console = Console(FakeKubectl(DOCUMENT))
    options = argument_parser(["symbols"]).parse_args(["symbols", *words.split()])
    return run_symbols(options, console.context), console


@pytest.fixture
def reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pod answer."""
    monkeypatch.setattr(module, "get_json_of_pod", lambda *_: REPORTS)


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the user not reach the pod."""

    def fail(*_: object) -> None:
        raise PodUnreachableError("you may not create pods/portforward")

    monkeypatch.setattr(module, "get_json_of_pod", fail)


@pytest.mark.usefixtures("reachable")
def test_the_pod_names_each_symbol() -> None:
    code, console = run("us-equities")
    assert code == 0
    assert [line.split()[1] for line in console.lines[1:3]] == ["ON", "SPY"]
    assert console.lines[-1] == "acme/us-equities: 1 stale · 1 live, by the pod"
    _, stale = run("us-equities --stale")
    assert not [line for line in stale.lines if "SPY" in line]


@pytest.mark.usefixtures("unreachable")
def test_without_the_pod_the_status_names_the_first_of_each_state() -> None:
    code, console = run("us-equities")
    assert code == 0
    assert "▲  ON      stale" in console.lines
    assert console.lines[-1] == ("Not visible: quotes and paces (you may not create pods/portforward)")


@pytest.mark.usefixtures("reachable")
def test_json_has_the_source() -> None:
    _, console = run("us-equities -o json")
    found = json.loads("\n".join(console.lines))
    assert (found["kind"], found["source"], found["counts"]) == ("SymbolList", "pod", {"stale": 1, "live": 1})
    assert found["symbols"][0] == {"symbol": "ON", "state": "stale"}


def test_an_unknown_job_has_a_hint() -> None:
    code, console = run("us-equites")
    assert code == 1
    assert "Did you mean us-equities?" in console.errors
