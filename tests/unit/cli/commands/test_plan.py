from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from sluice_cli.commands.arguments import argument_parser
from sluice_cli.commands.context import UsageError
from sluice_cli.commands.plan import run_plan
from sluice_cli.transport import NoAccessError
from support.fake_kubectl import Console, FakeKubectl, job

FEED = """\
apiVersion: sluice.dev/v1alpha1
kind: IngestJob
metadata: {name: us-equities}
spec:
  tenant: acme
  provider: alpaca
  alpaca: {feed: iex}
  symbols: [SPY, AAPL, "ON", TSLA]
"""
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n"


def run(
    folder: Path, text: str, *objects: dict[str, Any], words: str = "", kubectl: FakeKubectl | None = None
) -> tuple[int, Console]:
    path = folder / "job.yaml"
    path.write_text(text)
    console = Console(kubectl or FakeKubectl(*objects))
    arguments = ["plan", "-f", str(path), *words.split()]
    return run_plan(argument_parser(arguments).parse_args(arguments), console.context), console


def test_a_change_of_a_live_job_is_shown_with_the_command_that_applies_it(tmp_path: Path) -> None:
    code, console = run(tmp_path, FEED, job())
    assert code == 0
    assert console.lines[:2] == [
        "acme/us-equities   changed",
        "  ~ spec.symbols  3 → 4 (+TSLA)  hot: same connection, no gap",
    ]
    assert console.lines[-2:] == ["1 IngestJob: 1 changed", f"Next: kubectl apply -f {tmp_path}/job.yaml"]


def test_the_next_command_has_the_options_of_the_apply(tmp_path: Path) -> None:
    words = "-R -n acme --server-side --force-conflicts --field-manager argocd"
    kubectl = FakeKubectl(job())
    _, console = run(tmp_path, FEED, words=words, kubectl=kubectl)
    options = "--server-side --field-manager=argocd --force-conflicts"
    assert console.lines[-1] == f"Next: kubectl apply {options} -f {tmp_path}/job.yaml -R -n acme"
    [dry_run] = [each for each in kubectl.commands if each[0] == "apply"]
    assert {"--dry-run=server", *options.split()} <= set(dry_run)


def test_a_document_that_would_be_refused_is_a_problem(tmp_path: Path) -> None:
    kubectl = FakeKubectl(job())
    kubectl.refusals["us-equities"] = (
        'The IngestJob "us-equities" is invalid: spec.symbols[2]: Invalid value: "boolean": x'
    )
    code, console = run(tmp_path, FEED.replace('"ON"', "ON"), kubectl=kubectl)
    assert code == 1
    shown = "\n".join(console.lines)
    assert '✗ yaml: spec.symbols[2] is true: YAML reads ON as a boolean; write "ON".' in shown
    assert "Next:" not in shown


def test_other_kinds_are_ignored_and_said(tmp_path: Path) -> None:
    code, console = run(tmp_path, f"{CONFIG}---\n{FEED}", job())
    assert (code, "Ignored, because they are not IngestJobs: ConfigMap/other" in console.lines) == (0, True)
    code, console = run(tmp_path, CONFIG)
    assert (code, console.lines[0]) == (0, "There is no IngestJob in the files.")
    code, console = run(tmp_path, "")
    assert (code, console.lines) == (1, ["There is no IngestJob in the files."])


def test_a_document_without_a_name_or_without_yaml_is_a_problem(tmp_path: Path) -> None:
    code, console = run(tmp_path, FEED.replace("name:", "generateName:"))
    assert (code, console.lines[0]) == (
        1,
        "✗ An IngestJob has no metadata.name: set it, because kubectl apply needs it.",
    )
    code, console = run(tmp_path, "a: [")
    assert (code, "it is not YAML" in " ".join(" ".join(console.lines).split())) == (1, True)


def test_json_and_yaml_have_one_versioned_model(tmp_path: Path) -> None:
    _, as_json = run(tmp_path, FEED, job(), words="-o json --viewers 2 --price-per-100k-writes 0.09")
    _, as_yaml = run(tmp_path, FEED, job(), words="-o yaml --viewers 2 --price-per-100k-writes 0.09")
    found = json.loads("\n".join(as_json.lines))
    assert yaml.safe_load("\n".join(as_yaml.lines)) == found
    assert (found["apiVersion"], found["kind"]) == ("cli.sluice.dev/v1", "PlanList")
    [item] = found["items"]
    assert (item["action"], item["problem"], item["traffic"]["viewers"]) == ("change", False, 2)
    assert item["changes"][0]["added"] == ["TSLA"]
    assert item["traffic"]["writes"]["dayCost"] > 0


def test_what_is_not_visible_is_said(tmp_path: Path) -> None:
    kubectl = FakeKubectl(job(), denied=("list all ingestjobs", "list ingestpolicies", "get namespaces"))
    kubectl.refusals["us-equities"] = (
        'Error from server (Forbidden): ingestjobs.sluice.dev "us-equities" is forbidden: User "bob" cannot patch '
        'resource "ingestjobs" in API group "sluice.dev" in the namespace "acme"'
    )
    code, console = run(tmp_path, FEED, kubectl=kubectl)
    assert code == 0
    assert [each.partition(" (")[0] for each in console.lines if each.startswith("Not visible")] == [
        "Not visible: conflicts with jobs of other namespaces",
        "Not visible: IngestPolicies",
        "Not visible: the labels of namespace acme",
        "Not visible: the judgement of the API server",
    ]
    assert "  ~ spec.symbols  3 → 4 (+TSLA)" in console.lines[1]


def test_jobs_that_cannot_be_listed_at_all_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(NoAccessError):
        run(tmp_path, FEED, kubectl=FakeKubectl(denied=("list ingestjobs",)))


def test_a_file_is_needed_and_its_namespace_has_to_fit(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is in namespace beta: leave -n out"):
        run(tmp_path, FEED.replace("name: us", "namespace: beta, name: us"), words="-n acme")
    arguments = argument_parser(["plan"]).parse_args(["plan"])
    with pytest.raises(UsageError, match="name a file or a folder with -f"):
        run_plan(arguments, Console(FakeKubectl()).context)
