"""YAML as kubectl reads it; tests/integration/test_documents.py compares it with the API server."""

import re
from typing import Any

import pytest

from sluice_runtime.adapters.kubernetes_yaml import YamlError, parse_yaml, read_plain_scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ON", True), ("off", False), ("Yes", True), ("NO", False), ("y", True), ("N", False), ("TRUE", True),
        ("oN", "oN"), ("~", None), ("", None), ("Null", None), ("nULL", "nULL"), ("7", 7), ("-7", -7), ("+7", 7),
        ("010", 8), ("0o10", 8), ("0x1F", 31), ("0b11", 3), ("-0b11", -3), ("1_000", 1000), ("09", 9), ("1.", 1),
        (".5", 0.5), ("1e3", 1000), ("1.5e-1", 0.15), ("40.0", 40), ("1:30", "1:30"), ("2026-11-28", "2026-11-28"),
        ("18446744073709551616", 1.8446744073709552e19), ("1e30", 1e30), ("1.2.3", "1.2.3"), ("_1", "_1"), ("=", "="),
        ("SPY", "SPY"), ("-", "-"), ("0x", "0x"),
    ],
)  # fmt: skip
def test_an_unquoted_scalar_is_read_as_by_kubectl(text: str, value: Any) -> None:
    read = read_plain_scalar(text)
    assert read == value
    assert type(read) is type(value)


def test_documents_keep_the_texts_of_what_is_not_a_string() -> None:
    [document] = parse_yaml("a: [ON, SPY, 'ON', 1e3]\ny: 2026-11-28\n---\n# nothing\n---\n")
    assert document.value == {"a": [True, "SPY", "ON", 1000], "true": "2026-11-28"}
    assert document.scalar_texts == {("a", 0): "ON", ("a", 3): "1e3"}
    assert document.key_texts == {("true",): "y"}


def test_anchors_merge_keys_and_standard_tags_are_read() -> None:
    [document] = parse_yaml("a: &a {x: 1, y1: 2}\nb: {<<: *a, x: 3}\nc: {<<: [*a, {z: 4}]}\nd: !!str 7\ne: !!int '7'\n")
    assert document.value["b"] == {"x": 3, "y1": 2}
    assert document.value["c"] == {"x": 1, "y1": 2, "z": 4}
    assert (document.value["d"], document.value["e"]) == ("7", 7)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: 1\nb: 2\na: 3",
         "line 3: the key a occurs twice in one mapping; remove one of them (otherwise only the last one would count)"),
        ("a:\n\t- 1", "line 2: a tab cannot indent YAML: use spaces"),
        ("a: {b: .inf}", "line 1: YAML reads .inf as a number that is not finite; write another value"),
        ("a: .NaN", "line 1: YAML reads .NaN as a number that is not finite; write another value"),
        ("a: *b", "line 1: * refers to an anchor that does not exist; put the value in quotation marks"),
        ("a: &a [*a]", "line 1: the anchor of this value is used inside the value itself"),
        ("a: {<<: 1}", "line 1: << needs an alias of a mapping, or a list of such aliases"),
        ("a: !!binary aGk=", "line 1: the tag !!binary is not supported; remove it"),
        ("a: !secret b", "line 1: the tag !secret is not supported; remove it"),
        ("a: !mine {}", "line 1: the tag !mine is not supported; remove it"),
        ("? [1]\n: 2", "line 1: a key must be a string; write it in quotation marks"),
        ("null: 2", "line 1: a key must be a string; write it in quotation marks"),
        ("a: " + "[" * 101 + "]" * 101, "it is nested deeper than 100 levels; write fewer levels"),
        ("[" * 200_000, "it is nested deeper than 100 levels; write fewer levels"),
        ("a: [1", "line 1: a list in [ ] is not closed, or a comma is missing in it; add it"),
        ("{a", "line 1: a mapping in { } is not closed, or a comma is missing in it; add it"),
        ("\x01", "it contains a control character; remove it"),
    ],
)  # fmt: skip
def test_what_kubernetes_cannot_read_is_an_error_with_the_line(text: str, sentence: str) -> None:
    with pytest.raises(YamlError) as error:
        parse_yaml(text)
    assert str(error.value).splitlines() == [sentence]


# Each produces another message of the parser.
NOT_YAML = (
    "a: b: c", "a:\n- b\n c: d", "'abc", '"abc', "a: *x", "%YAML 3.0\n---\na", "&a &b c", "a: @x", "a: `x", "- a\nb: c",
    "key: |\n  a\n b", "a: 'x' y", "? a\n: - b\n  c", 'a: "\\q"', 'a: "\\xZZ"', "--- a\n... b", "a\n\tb: c", "a: %x",
    "---\n%TAG x", "[a]]", "}", ",", "a: &\n", "*", "a: !<", "a: |0\n x", "%FOO", "a: - b",
)  # fmt: skip


@pytest.mark.parametrize("text", NOT_YAML)
def test_a_syntax_error_is_explained_without_the_parser_s_terms(text: str) -> None:
    with pytest.raises(YamlError) as error:
        parse_yaml(text)
    assert re.fullmatch(r"line \d: [^;]+; .+|line \d: a tab cannot indent YAML: use spaces", str(error.value))
    assert not re.search(r"did not find|could not find|found |expected|token|context|scann|pars|<", str(error.value))


def test_aliases_cannot_expand_without_bound() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 20)]
    with pytest.raises(YamlError, match="more than 200,000 values"):
        parse_yaml("\n".join(lines))
