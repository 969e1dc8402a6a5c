"""docs/troubleshooting.md has every failure and every verdict that a user can see, and names only reasons that exist.

docs/ingestjob.md has every reason of a condition, because it is generated from the reasons.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from sluice_contract import conditions
from sluice_contract.status import FailureType

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/troubleshooting.md").read_text()
# Also checked, so that the page stays complete when the page of the dashboard gets another word.
LOOKS = (ROOT / "dashboard/src/lib/looks.ts").read_text()


def verdicts() -> set[str]:
    findings = json.loads((ROOT / "clients/verdicts.json").read_text())["findings"]
    return {finding["reason"] for finding in findings.values()}


@pytest.mark.parametrize("reason", sorted(verdicts() | set(get_args(FailureType))))
def test_the_page_has_the_reason(reason: str) -> None:
    assert f"`{reason}`" in PAGE


def test_each_reason_in_a_table_exists() -> None:
    rows = re.findall(r"^\| ((?:`[A-Z][A-Za-z]+`(?:, )?)+) \|", PAGE, flags=re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert len(named) > 15
    assert named <= conditions.REASONS.keys()


def test_the_page_has_each_word_of_the_dashboard() -> None:
    words = set(re.findall(r'^  \w+: \["([A-Z ]+)", ', LOOKS, flags=re.MULTILINE))
    rows = set(re.findall(r"^\| ([A-Z ]+?)(?: \([a-z ]+\))? \|", PAGE, flags=re.MULTILINE))
    assert words == rows
