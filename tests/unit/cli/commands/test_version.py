import json

import pytest

from sluice_cli import VERSION
from sluice_cli.commands.arguments import argument_parser
from sluice_cli.commands.version import run_version, skew_sentence
from support.fake_kubectl import Console, FakeKubectl


def deployment(image: str) -> dict[str, object]:
    containers = [{"name": "proxy", "image": "x:9.9.9"}, {"name": "operator", "image": image}]
    metadata = {"name": "sluice-operator", "namespace": "sluice-system"}
    return {"kind": "Deployment", "metadata": metadata, "spec": {"template": {"spec": {"containers": containers}}}}


def run(words: str, *objects: dict[str, object], denied: tuple[str, ...] = ()) -> tuple[int, list[str]]:
    console = Console(FakeKubectl(*objects, denied=denied))
    options = argument_parser(["version"]).parse_args(["version", *words.split()])
    return run_version(options, console.context), console.lines


def test_the_version_of_the_operator_is_the_tag_of_its_image() -> None:
    image = f"registry.example.com:5000/sluice-operator:{VERSION}@sha256:abc"
    code, lines = run("", deployment(image))
    assert (code, lines) == (0, [f"plugin    {VERSION}", "API       sluice.dev/v1alpha1", f"operator  {VERSION}"])


def test_what_cannot_be_seen_is_said() -> None:
    assert run("")[1][-1] == "operator  not found: there is no Deployment sluice-operator in sluice-system"
    assert run("", denied=("get deployments",))[1][-1].startswith("operator  not visible: you may not get")
    assert run("", deployment("x@sha256:abc"))[1][-1] == "operator  not known: its image has no tag (x@sha256:abc)"
    assert run("--client")[1] == [f"plugin    {VERSION}", "API       sluice.dev/v1alpha1"]


@pytest.mark.parametrize(
    ("plugin", "operator", "is_near"),
    [
        ("0.2.0", "0.1.9", True),
        ("0.2.0", "v0.3.0", True),
        ("0.2.0", "0.4.0", False),
        ("1.0.0", "0.9.0", False),
        ("0.2.0", "dev", True),
    ],
)
def test_one_minor_version_of_difference_is_supported(plugin: str, operator: str, is_near: bool) -> None:
    assert (skew_sentence(plugin, operator) == "") is is_near


def test_an_unsupported_version_is_a_problem() -> None:
    code, lines = run("", deployment("x:7.0.0"))
    assert code == 1
    assert lines[-1].endswith("install version 7.0.0 of it.")
    found = json.loads("\n".join(run("-o json", deployment("x:7.0.0"))[1]))
    assert (found["kind"], found["operator"]) == ("Version", "7.0.0")
