from __future__ import annotations

import json

import pytest

from sluice_cli.commands.arguments import argument_parser
from sluice_cli.commands.schema import run_schema
from support.fake_kubectl import Console, FakeKubectl


def run(words: str) -> tuple[int, Console]:
    console = Console(FakeKubectl())
    options = argument_parser(["schema"]).parse_args(["schema", *words.split()])
    return run_schema(options, console.context), console


def test_without_a_field_the_spec_is_listed() -> None:
    code, console = run("")
    assert code == 0
    assert console.lines[0].split() == ["FIELD", "TYPE", "CHANGE", "DEFAULT"]
    assert console.lines[-1] == "Next: kubectl sluice schema limits.writesPerSecond"
    assert run("spec")[1].lines == console.lines


@pytest.mark.parametrize("words", ["pausedSymbols[].until", "pausedSymbols.until", "spec.pausedSymbols.until"])
def test_a_field_can_be_written_with_and_without_its_list_and_spec(words: str) -> None:
    assert run(words)[1].lines[0] == "spec.pausedSymbols[].until"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("writespersecond", "Did you mean limits.writesPerSecond?"),
        ("limits.writesPerSecnd", "Did you mean limits.writesPerSecond?"),
        ("xxxxxxxx", "kubectl sluice schema lists the fields."),
    ],
)
def test_an_unknown_field_has_a_hint(words: str, hint: str) -> None:
    code, console = run(words)
    assert code == 1
    assert console.errors.strip() == f"An IngestJob has no field spec.{words}. {hint}"


def test_json_has_the_field_and_the_fields_below() -> None:
    _, console = run("limits -o json")
    found = json.loads("\n".join(console.lines))
    assert (found["kind"], found["field"]["path"]) == ("FieldList", "limits")
    assert "limits.writesPerSecond" in [each["path"] for each in found["items"]]
