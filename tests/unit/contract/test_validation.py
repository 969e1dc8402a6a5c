from typing import Any

import pytest

from sluice_contract.validation import find_mistakes

GOOD: dict[str, Any] = {
    "apiVersion": "sluice.dev/v1alpha1",
    "kind": "IngestJob",
    "metadata": {"name": "us", "labels": {"anything": "goes"}},
    "spec": {"tenant": "acme", "provider": "synthetic", "symbols": ["SPY", "BRK.B"]},
}


def mistakes_in(**spec: Any) -> list[str]:
    return find_mistakes(GOOD | {"spec": GOOD["spec"] | spec})


def test_a_valid_document_has_no_problems() -> None:
    assert find_mistakes(GOOD) == []
    assert find_mistakes({"metadata": {"name": "us"}, "spec": GOOD["spec"]}) == []
    assert (
        mistakes_in(pod={"labels": {"desk": "options"}}, pausedSymbols=[{"symbol": "SPY", "reason": "bad prints"}])
        == []
    )


def test_a_mistyped_field_is_reported_with_a_suggestion() -> None:
    assert mistakes_in(enabeld=False) == ["unknown field spec.enabeld; did you mean enabled?"]
    assert mistakes_in(limits={"writesPerMinute": 5}) == [
        "unknown field spec.limits.writesPerMinute; did you mean writesPerSecond?"
    ]
    assert mistakes_in(pausedSymbols=[{"symbol": "SPY", "why": ""}]) == [
        "unknown field spec.pausedSymbols[0].why; remove it"
    ]
    assert find_mistakes({**GOOD, "sepc": {}}) == ["unknown field sepc; did you mean spec?"]


def test_another_kind_of_document_is_reported() -> None:
    assert find_mistakes(GOOD | {"kind": "Deployment"}) == ["kind is 'Deployment': set it to IngestJob"]
    assert find_mistakes(GOOD | {"apiVersion": "apps/v1"}) == ["apiVersion is 'apps/v1': set it to sluice.dev/v1alpha1"]


@pytest.mark.parametrize(
    ("spec", "beginning", "end"),
    [
        ({"symbols": ["SPY", "spy"]}, "spec.symbols[1] is 'spy': a symbol is in upper case", "in a pair (BTC/USD))"),
        ({"limits": {"burst": 0}}, "spec.limits.burst is 0: set it to 1 or more", "after a quiet period. Default: 40)"),
        (
            {"provider": "pigeon"},
            "spec.provider is 'pigeon': set it to one of alpaca, ibkr, replay, ",
            "of the same name)",
        ),
        ({"enabled": "no"}, "spec.enabled is 'no': write true or false, without", "with status paused)"),
        ({"limits": [1]}, "spec.limits: write a mapping", "(Limits on writes to Firestore)"),
    ],
)
def test_a_value_out_of_its_bounds_is_reported_with_the_field_s_purpose(
    spec: dict[str, Any], beginning: str, end: str
) -> None:
    [sentence] = mistakes_in(**spec)
    assert sentence.startswith(beginning)
    assert sentence.endswith(end)


def test_a_field_that_is_missing_is_named() -> None:
    provider, symbols = find_mistakes({"metadata": {"name": "us"}, "spec": {"tenant": "acme"}})
    assert provider.startswith("spec.provider is missing: set it (The source of the quotes.")
    assert symbols.startswith("spec.symbols is missing: set it (The symbols to stream.")


def test_a_broken_rule_across_fields_is_reported_by_its_message() -> None:
    [sentence] = mistakes_in(provider="replay")
    assert sentence.startswith("provider replay needs spec.replay.tape")


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"spec": {"channels": ["quotes", "quotes"]}}, "spec.channels contains quotes 2 times: keep only one"),
        (
            {"spec": {"pausedSymbols": [{"symbol": "SPY"}, {"symbol": "SPY", "reason": "again"}]}},
            "spec.pausedSymbols contains SPY 2 times: keep only one",
        ),
        (
            {"metadata": {"name": "A B"}},
            "metadata.name is 'A B': use lower-case letters, digits, and - and . between them",
        ),
    ],
)
def test_invalid_lists_and_names_are_reported_as_by_an_api_server(document: dict[str, Any], sentence: str) -> None:
    assert find_mistakes({**GOOD, **document, "spec": GOOD["spec"] | document.get("spec", {})}) == [sentence]


def test_ten_of_many_mistakes_are_reported() -> None:
    sentences = mistakes_in(symbols=[f"a{n}" for n in range(100)])
    assert len(sentences) == 11
    assert sentences[-1] == "and 90 more"


@pytest.mark.parametrize(
    ("spec", "beginnings"),
    [
        ({"symbols": [True]}, ["spec.symbols[0] is true: YAML reads ON, YES, Y and TRUE without "]),
        ({"symbols": [False]}, ["spec.symbols[0] is false: YAML reads NO, OFF, N and FALSE without "]),
        ({"symbols": [True, True]}, ["spec.symbols[0] is true: YAML ", "spec.symbols[1] is true: YAML "]),
        ({"pausedSymbols": [{"symbol": True}]}, ["spec.pausedSymbols[0].symbol is true: YAML reads ON, YES, "]),
        (
            {"pausedSymbols": [{"symbol": True}, {"symbol": True}]},
            ["spec.pausedSymbols[0].symbol is true: YAML ", "spec.pausedSymbols[1].symbol is true: YAML "],
        ),
    ],
)
def test_a_boolean_that_should_be_a_text_is_explained_and_not_counted_as_a_repetition(
    spec: dict[str, Any], beginnings: list[str]
) -> None:
    sentences = mistakes_in(**spec)
    assert len(sentences) == len(beginnings)
    assert all(sentence.startswith(beginning) for sentence, beginning in zip(sentences, beginnings, strict=True))
    assert all('as a boolean; write "' in sentence for sentence in sentences)
