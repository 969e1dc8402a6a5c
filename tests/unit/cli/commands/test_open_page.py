from __future__ import annotations

import io
import webbrowser

import pytest

from sluice_cli.commands.arguments import argument_parser
from sluice_cli.commands.context import UsageError
from sluice_cli.commands.open_page import page_link, run_open
from support.fake_kubectl import Console, FakeKubectl, Object, job

TEMPLATE = '/{{ with query "x" }}?tenant={{ . }}{{ end }}'


def rules(page: str) -> Object:
    rule = {"alert": "SluiceSinkFailing", "annotations": {"page_url": page + TEMPLATE}}
    metadata = {"name": "sluice-alerts", "namespace": "sluice-system"}
    return {"kind": "PrometheusRule", "metadata": metadata, "spec": {"groups": [{"rules": [{}, rule]}]}}


class Desktop(io.StringIO):
    """The output of a terminal."""

    def isatty(self) -> bool:
        return True


def run(words: str, *objects: Object, variable: str = "") -> tuple[int, Console]:
    console = Console(FakeKubectl(job(), *objects))
    environment = {"SLUICE_PAGE_URL": variable, "DISPLAY": ""}
    options = argument_parser(["open"]).parse_args(["open", *words.split()])
    return run_open(options, console.context._replace(environment=environment)), console


LINK = "https://feeds.example.com/?tenant=acme&feed=market_ingest"


def test_the_address_comes_from_the_option_the_variable_or_the_alerts() -> None:
    assert run("us-equities --page https://feeds.example.com/")[1].lines == [LINK]
    assert run("us-equities", variable="https://feeds.example.com")[1].lines == [LINK]
    code, console = run("us-equities", rules("https://feeds.example.com"))
    assert (code, console.lines) == (0, [LINK])


@pytest.mark.parametrize("objects", [(), (rules("https://sluice.example"),), (rules(""),)])
def test_without_an_address_it_is_said_what_to_do(objects: tuple[Object, ...]) -> None:
    code, console = run("us-equities", *objects)
    assert (code, console.lines) == (1, [])
    assert "→ export SLUICE_PAGE_URL=https://…, or write --page https://…" in console.errors


def test_an_address_of_another_kind_is_refused() -> None:
    with pytest.raises(UsageError, match="is not the address of a page"):
        run("us-equities --page javascript:alert(1)")


def test_the_link_has_the_heartbeat_document_of_the_job() -> None:
    document = job()
    document["spec"]["heartbeat"] = {"document": "us_equities"}
    assert page_link("https://x", document) == "https://x/?tenant=acme&feed=us_equities"


@pytest.mark.parametrize(("words", "opened"), [("us-equities", [LINK]), ("us-equities --no-browser", [])])
def test_a_desktop_opens_its_browser(words: str, opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[str] = []
    monkeypatch.setattr(webbrowser, "open", found.append)
    console = Console(FakeKubectl(job()))
    environment = {"SLUICE_PAGE_URL": "https://feeds.example.com", "DISPLAY": ":0"}
    options = argument_parser(["open"]).parse_args(["open", *words.split()])
    assert run_open(options, console.context._replace(environment=environment, output=Desktop())) == 0
    assert found == opened


def test_an_unknown_job_has_a_hint() -> None:
    assert "Did you mean us-equities?" in run("us-equites")[1].errors
