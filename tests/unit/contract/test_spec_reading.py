from typing import Any

import pytest

from sluice_contract.spec import Pause, PausedSymbol
from sluice_contract.spec_reading import StopFields, decode_spec_or_stop_fields

SPEC: dict[str, Any] = {"tenant": "acme", "provider": "synthetic", "symbols": ["SPY"]}


def test_a_spec_that_is_understood_is_read_completely() -> None:
    found = decode_spec_or_stop_fields(SPEC | {"enabled": False, "pausedSymbols": [{"symbol": "SPY"}]})
    assert found.spec is not None
    assert (found.problem, found.stops.problem) == ("", "")
    assert found.stops == StopFields(enabled=False, paused_symbols=[PausedSymbol(symbol="SPY")])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"enabled": "no"}, "spec.enabled is not understood: "),
        ({"enabled": None}, "spec.enabled is not understood: "),
        ({"pause": []}, "spec.pause is not understood: "),
        ({"pause": {"until": []}}, "spec.pause.until is not understood: "),
        ({"pause": {"until": "2026-11-23T14:00:00+99:99"}}, "spec.pause.until is not understood: "),
        ({"pause": {"until": "\ud800"}}, "spec.pause is not understood: it has a text with half a surrogate pair"),
        ({"pausedSymbols": {}}, ""),
        ({"pausedSymbols": "SPY"}, "spec.pausedSymbols is not understood: "),
        ({"pausedSymbols": [{"symbol": "SPY", "until": 7}]}, "spec.pausedSymbols[0].until is not understood: "),
    ],
)
def test_a_stop_field_that_is_not_understood_is_named_and_the_rest_is_read(
    change: dict[str, Any], problem: str
) -> None:
    found = decode_spec_or_stop_fields(SPEC | change)
    assert found.spec is not None
    assert found.spec.symbols == ["SPY"]
    assert found.problem == ""
    assert found.stops.problem.startswith(problem)
    assert bool(found.stops.problem) == bool(problem)


def test_each_stop_field_is_read_on_its_own() -> None:
    entries = [{"symbol": "AAPL"}, {"symbol": 7}]
    found = decode_spec_or_stop_fields(SPEC | {"enabled": 1, "pause": {"reason": "vendor"}, "pausedSymbols": entries})
    assert found.stops.pause == Pause(reason="vendor")
    assert found.stops.paused_symbols == [PausedSymbol(symbol="AAPL")]
    assert not found.stops.enabled
    assert found.stops.problem.startswith("spec.enabled")


@pytest.mark.parametrize("change", [{"provider": "pigeon"}, {"limits": {"burst": 0}}, {"symbols": []}, {"tenant": 7}])
def test_the_stop_fields_are_read_even_if_another_field_is_not_understood(change: dict[str, Any]) -> None:
    found = decode_spec_or_stop_fields(SPEC | change | {"enabled": False})
    assert found.spec is None
    assert found.stops == StopFields(enabled=False)
    assert found.problem.startswith(f"spec.{next(iter(change))}")


@pytest.mark.parametrize("spec", [None, [], "spec", 7])
def test_without_a_spec_nothing_streams(spec: object) -> None:
    found = decode_spec_or_stop_fields(spec)
    assert (found.spec, found.stops.enabled, bool(found.stops.problem)) == (None, False, True)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "No_Proxy", "ALL_PROXY", "http_proxy"])
@pytest.mark.parametrize("change", [{}, {"enabled": 1}])
def test_a_proxy_of_a_tenant_is_ignored_and_named(name: str, change: dict[str, Any]) -> None:
    level = {"name": "LOG_LEVEL", "value": "debug"}
    env = [level, {"name": name, "value": "http://me:secret@proxy:1"}]
    found = decode_spec_or_stop_fields(SPEC | {"pod": {"env": env, "labels": {"a": "b"}}} | change)
    assert found.ignored_variables == (name,)
    assert found.spec is not None
    assert found.spec.pod is not None
    assert [each.name for each in found.spec.pod.env] == ["LOG_LEVEL"]
    assert found.spec.pod.labels == {"a": "b"}
    assert "me:secret" not in repr(found)


@pytest.mark.parametrize("pod", [None, [], "x", {"env": None}, {"env": {}}, {"env": [None, 1, {}]}])
def test_an_unreadable_environment_of_the_pod_ignores_nothing(pod: object) -> None:
    assert decode_spec_or_stop_fields(SPEC | {"pod": pod}).ignored_variables == ()


def test_a_boolean_in_the_place_of_a_text_is_explained_by_yaml() -> None:
    clause = 'as a boolean; write "ON"'
    problem = decode_spec_or_stop_fields(SPEC | {"symbols": ["SPY", True]}).problem
    assert problem.startswith(
        "spec.symbols[1] is not understood: it is a boolean where text is needed: YAML reads ON, "
    )
    assert problem.endswith(clause)
    paused = decode_spec_or_stop_fields(SPEC | {"pausedSymbols": [{"symbol": True}]}).stops.problem
    assert paused.startswith("spec.pausedSymbols[0].symbol is not understood: ")
    assert paused.endswith(clause)
    assert "YAML" not in decode_spec_or_stop_fields(SPEC | {"symbols": [7]}).problem


def test_a_symbol_that_is_listed_twice_is_read_once_and_named() -> None:
    found = decode_spec_or_stop_fields(SPEC | {"symbols": ["SPY", "AAPL", "SPY"], "enabled": False})
    assert found.spec is not None
    assert (found.spec.symbols, found.duplicate_symbols) == (["SPY", "AAPL"], ("SPY",))
    assert (found.problem, found.stops.enabled) == ("", False)
