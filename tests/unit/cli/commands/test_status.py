import json

import pytest
import yaml

from sluice_cli.commands.arguments import argument_parser
from sluice_cli.commands.context import UsageError
from sluice_cli.commands.status import run_status
from support.fake_kubectl import Console, FakeKubectl, condition, job, pause, paused_job

BROKEN = job("broken", "beta", condition("Ready", "False", "Refused"), condition("Stalled", "True", "Refused"))


def run(words: str, *objects: dict[str, object]) -> tuple[int, Console]:
    console = Console(FakeKubectl(*objects))
    options = argument_parser(["status"]).parse_args(["status", *words.split()])
    return run_status(options, console.context), console


def test_the_table_has_the_worst_job_first() -> None:
    code, console = run("-A", job(), BROKEN)
    assert code == 0
    assert [line.split()[1] for line in console.lines[1:2]] == ["beta/broken"]
    assert console.lines[-1] == "Next: kubectl sluice status broken -n beta"


def test_one_job_is_a_tree() -> None:
    code, console = run("acme/us-equities", job(), job("other"))
    assert code == 0
    assert console.lines[0].startswith("acme/us-equities   ● Running")
    assert not [line for line in console.lines if "other" in line]


def test_an_unknown_job_has_a_hint() -> None:
    code, console = run("us-equites", job())
    assert (code, console.lines) == (1, [])
    assert "Did you mean us-equities?" in console.errors


@pytest.mark.parametrize(("objects", "code"), [((job(),), 0), ((paused_job("api"),), 0), ((job(), BROKEN), 1), ((), 0)])
def test_a_check_fails_if_a_job_does_not_do_what_it_declares(objects: tuple[dict[str, object], ...], code: int) -> None:
    assert run("-A --check", *objects)[0] == code
    assert run("-A", *objects)[0] == 0


def test_json_and_yaml_have_one_versioned_model() -> None:
    objects = (job(), pause(jobs=["us-equities"], by="alice"))
    _, as_json = run("-A -o json", *objects)
    _, as_yaml = run("-A -o yaml", *objects)
    found = json.loads("\n".join(as_json.lines))
    same = yaml.safe_load("\n".join(as_yaml.lines))
    assert (found["apiVersion"], found["kind"]) == ("cli.sluice.dev/v1", "StatusList")
    assert {**same, "at": ""} == {**found, "at": ""}
    [item] = found["items"]
    assert item["pause"]["switches"][0]["by"] == "alice"
    assert found["notVisible"][0]["what"] == "the operator"


def test_names_are_those_of_kubectl() -> None:
    assert run("-A -o name", job("b"), job("a"))[1].lines == [
        "ingestjob.sluice.dev/a",
        "ingestjob.sluice.dev/b",
    ]


def test_filters_apply_to_each_form() -> None:
    _, console = run("-A -o name --paused", job("a"), paused_job("api", name="b"))
    assert console.lines == ["ingestjob.sluice.dev/b"]
    _, console = run("-A -o name -l desk=a", job("a"), job("b"))
    assert console.lines == ["ingestjob.sluice.dev/a"]


def test_a_watch_writes_text_only() -> None:
    with pytest.raises(UsageError, match="-w writes text"):
        run("-w -o json")
