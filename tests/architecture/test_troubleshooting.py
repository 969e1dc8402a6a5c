"""docs/troubleshooting.md has every reason of a condition, every failure, and every verdict that a user can see."""

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


def reasons() -> set[str]:
    """Return the reasons of conditions and of Events; the types of conditions are not among them."""
    texts = {value for name, value in vars(conditions).items() if name.isupper() and isinstance(value, str)}
    return texts - set(conditions.ORDER) | {conditions.STREAMING_REASON, conditions.PAUSED_REASON}


def verdicts() -> set[str]:
    findings = json.loads((ROOT / "clients/verdicts.json").read_text())["findings"]
    return {finding["reason"] for finding in findings.values()}


@pytest.mark.parametrize("reason", sorted(reasons() | verdicts() | set(get_args(FailureType))))
def test_the_page_has_the_reason(reason: str) -> None:
    assert f"`{reason}`" in PAGE


def test_the_page_has_each_word_of_the_dashboard() -> None:
    words = set(re.findall(r'^  \w+: \["([A-Z ]+)", ', LOOKS, flags=re.MULTILINE))
    rows = set(re.findall(r"^\| ([A-Z ]+?)(?: \([a-z ]+\))? \|", PAGE, flags=re.MULTILINE))
    assert words == rows
