from typing import Any

import pytest

from sluice_contract.stored_documents import refused_parts

SPEC = {"tenant": "acme", "provider": "synthetic", "symbols": ["SPY"]}


def refused(status: dict[str, Any] | None = None, **changes: Any) -> list[str]:
    document = {"metadata": {"name": "feed"}, "spec": SPEC | changes}
    if status is not None:
        document["status"] = status
    return [f"{part.path}: {part.problem}" for part in refused_parts(document)]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"symbols": [f"S{number}" for number in range(2001)]},
            "spec.symbols: shorten it to at most 2000 items",
        ),
        ({"channels": ["quotes", "quotes"]}, "spec.channels: remove the duplicate entries"),
        (
            {"symbols": [True]},
            'spec.symbols[0]: YAML reads ON, YES, Y and TRUE without quotation marks as a boolean; write "ON"',
        ),
        ({"symbols": [7]}, "spec.symbols[0]: write a value of type string"),
        ({"symbols": []}, "spec.symbols: list at least 1 item"),
        ({"symbols": 7}, "spec.symbols: write a value of type array"),
        ({"provider": "pigeon"}, "spec.provider: set it to one of alpaca, ibkr, replay, synthetic"),
        ({"pause": {"reason": "r" * 257}}, "spec.pause.reason: shorten it to at most 256 characters"),
        (
            {"pausedSymbols": [{"symbol": "SPY"}, {"symbol": "SPY", "reason": "a"}]},
            "spec.pausedSymbols: remove the duplicate entries",
        ),
        ({"limits": {"burst": 0}}, "spec.limits.burst: set it to 1 or more"),
        ({"limits": {"burst": 1001}}, "spec.limits.burst: set it to 1000 or less"),
        ({"enabled": 1}, "spec.enabled: write a value of type boolean"),
        ({"limits": {"burst": True}}, "spec.limits.burst: write a value of type integer"),
        (
            {"pod": {"labels": {f"k{number}": "v" for number in range(21)}}},
            "spec.pod.labels: shorten it to at most 20 keys",
        ),
        ({"http": {"tokenSecretRef": {}}}, "spec.http.tokenSecretRef.name: set this field, which is required"),
    ],
)
def test_each_broken_bound_is_named_with_what_to_do(changes: dict[str, Any], line: str) -> None:
    assert refused(**changes) == [line]


def test_a_time_that_only_an_older_schema_accepts_is_named() -> None:
    [line] = refused(pause={"until": "2026-11-23T14:00:00.1234567890Z"})
    assert line.startswith("spec.pause.until: ")


def test_a_broken_rule_across_fields_has_the_sentence_of_the_rule() -> None:
    [line] = refused(provider="ibkr")
    assert line == "spec: provider ibkr needs spec.ibkr.host: set it to the host of an IB Gateway or TWS"


def test_a_pattern_is_not_matched_before_a_line_feed() -> None:
    assert len(refused(symbols=["SPY\n"])) == 1


def test_fields_of_the_status_are_compared_too() -> None:
    assert refused({"podName": "p" * 254}) == ["status.podName: shorten it to at most 253 characters"]


def test_unknown_fields_and_a_valid_job_are_not_named() -> None:
    assert refused(unheard=1) == []
    assert refused({"phase": "Running"}) == []


def test_words_that_yaml_has_read_as_booleans_are_no_duplicates() -> None:
    assert [line.split(":")[0] for line in refused(symbols=[True, True])] == ["spec.symbols[0]", "spec.symbols[1]"]
