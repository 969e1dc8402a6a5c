"""Every architecture decision record has the same form, and the numbers have no gap."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "docs/adr"
ADRS = sorted(FOLDER.iterdir())
FILE_NAME = re.compile(r"(\d{4})-[a-z0-9]+(?:-[a-z0-9]+)*\.md")
HEAD = re.compile(
    r"# ADR (?P<number>\d{4}): \S.*\n"
    r"\n"
    r"\* Status: (?:Accepted|Superseded by \[ADR (?P<successor>\d{4})\]\((?P=successor)-[a-z0-9-]+\.md\))\n"
    r"\* Date: (?P<date>\d{4}-\d{2}-\d{2})\n"
    r"\n"
    r"\*\*Context\.\*\* "
)


def test_the_numbers_have_no_gap() -> None:
    assert [path.name[:4] for path in ADRS] == [f"{number:04}" for number in range(1, len(ADRS) + 1)]


@pytest.mark.parametrize("adr", ADRS, ids=lambda path: path.name)
def test_an_adr_has_a_number_a_status_a_date_and_a_decision(adr: Path) -> None:
    text = adr.read_text()
    name, head = FILE_NAME.fullmatch(adr.name), HEAD.match(text)
    assert name, "the file is named like 0017-two-or-three-words.md"
    assert head, "the page begins with the title, the status, the date and the context; see docs/adr/0001-*.md"
    assert head["number"] == name[1]
    assert date.fromisoformat(head["date"])
    assert "\n**Decision.**" in text


@pytest.mark.parametrize(
    "text",
    [
        "# A title\n\n* Status: Accepted\n* Date: 2026-11-28\n\n**Context.** A",
        "# ADR 0001: A title\n\n* Date: 2026-11-28\n* Status: Accepted\n\n**Context.** A",
        "# ADR 0001: A title\n\n* Status: Superseded\n* Date: 2026-11-28\n\n**Context.** A",
        "# ADR 0001: A title\n\n* Status: Accepted\n* Date: 28 November\n\n**Context.** A",
    ],
)
def test_an_adr_of_another_form_is_found(text: str) -> None:
    assert HEAD.match(text) is None
