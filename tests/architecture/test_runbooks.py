"""Each alert has its runbook page and its annotations, and the pages are for alerts that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.prometheus import alerts

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs/runbooks"
ALERTS = alerts()
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
# Commands that an engineer on call has. Other programs need an installation.
COMMANDS = {"kubectl", "curl", "kill", "sleep"}


def command_lines(page: str) -> list[str]:
    """Return the lines of all shell blocks, without the documents in them."""
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    return [
        line for block in blocks for line in re.sub(r"<<'END'.*?\nEND\n", "\n", block, flags=re.DOTALL).splitlines()
    ]


def test_the_pages_are_those_of_the_alerts() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == ALERTS.keys()


@pytest.mark.parametrize("name", ALERTS)
def test_a_page_has_the_four_sections_and_only_commands_that_exist(name: str) -> None:
    text = (FOLDER / f"{name}.md").read_text()
    assert text.startswith(f"# {name}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert all(section.strip() for section in re.split(r"^## .+$", text, flags=re.MULTILINE)[1:])
    lines = command_lines(text)
    assert {line.split()[0] for line in lines if line} <= COMMANDS
    assert "kubectl sluice" not in text


@pytest.mark.parametrize("name", ALERTS)
def test_the_links_of_a_page_lead_somewhere(name: str) -> None:
    text = (FOLDER / f"{name}.md").read_text()
    for link in re.findall(r"\]\(([^)]+)\)", text):
        path, _, heading = link.partition("#")
        target = FOLDER / path
        assert target.exists(), link
        headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
        anchors = [re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings]
        assert not heading or heading in anchors, link


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_has_one_label_and_four_annotations(name: str) -> None:
    rule = ALERTS[name]
    assert rule["labels"].keys() == {"severity"}
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["annotations"].keys() == {"summary", "description", "page_url", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"https://sluice.example/docs/runbooks/{name}.md"
    assert rule["annotations"]["page_url"].startswith("https://sluice.example/")
    assert f"[{name}](runbooks/{name}.md) | {rule['labels']['severity']} |" in (ROOT / "docs/monitoring.md").read_text()
