from __future__ import annotations

import json

import pytest

from sluice_cli.commands.arguments import argument_parser
from sluice_cli.commands.history import run_history
from sluice_cli.transport import NoAccessError
from support.fake_kubectl import Console, FakeKubectl, Object, job, pause, stamp

GAP = {"from": stamp(-300), "to": stamp(-280), "cause": "disconnect"}
EVENT = {
    "kind": "Event",
    "metadata": {"namespace": "acme", "name": "x"},
    "involvedObject": {"kind": "IngestJob", "namespace": "acme", "name": "us-equities"},
    "reason": "Streaming",
    "message": "3/3 symbols.",
    "lastTimestamp": stamp(-60),
}


def run(words: str, *objects: Object, denied: tuple[str, ...] = ()) -> tuple[int, Console]:
    console = Console(FakeKubectl(*objects, denied=denied))
    options = argument_parser(["history"]).parse_args(["history", *words.split()])
    return run_history(options, console.context), console


def test_all_jobs_of_the_namespaces_are_in_one_timeline() -> None:
    code, console = run("-A", job(gaps=[GAP]), job("b", "beta"), EVENT, pause("incident", jobs=["us-equities"]))
    assert code == 0
    text = "\n".join(console.lines)
    assert "acme/us-equities" in text
    assert "beta/b" in text
    assert "event  Streaming: 3/3 symbols." in text
    assert '‖ pause  pause:incident · "vendor incident"' in text


def test_one_job_has_no_column_of_names_and_a_period_limits_it() -> None:
    _, console = run("us-equities --since 2m", job(gaps=[GAP]), job("b"), EVENT)
    assert console.lines[0].endswith("event  Streaming: 3/3 symbols.")
    assert console.lines[1] == "1 entry; no gap"


def test_gaps_alone() -> None:
    code, console = run("us-equities --gaps -o json", job(gaps=[GAP]))
    found = json.loads("\n".join(console.lines))
    assert (code, found["apiVersion"], found["kind"]) == (0, "cli.sluice.dev/v1", "HistoryList")
    [item] = found["items"]
    assert (item["kind"], item["what"], item["seconds"], item["job"]) == ("gap", "disconnect", 20.0, "us-equities")
    assert found["notKept"] == []


def test_what_cannot_be_listed_is_said() -> None:
    code, console = run("", job(), denied=("list pods", "list events", "list ingestpauses"))
    assert code == 0
    assert [line for line in console.lines if line.startswith("Not visible")] == [
        "Not visible: IngestPauses (you may not list ingestpauses.sluice.dev)",
        "Not visible: the pods (you may not list pods)",
        "Not visible: Kubernetes Events (you may not list events)",
    ]


def test_an_unknown_job_and_no_job() -> None:
    code, console = run("us-equites", job())
    assert (code, console.lines) == (1, [])
    assert "Job us-equites does not exist in namespace acme. Did you mean us-equities?" in console.errors
    assert run("")[1].lines == ["No job. Add -A for all namespaces, or -n NAMESPACE for another one."]


def test_the_jobs_are_needed() -> None:
    with pytest.raises(NoAccessError):
        run("", job(), denied=("list ingestjobs",))
