"""The sentences are the same in all languages: each has a copy of `clients/verdicts.json`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from sluice_client import Reason
from sluice_client.texts import FINDINGS, Finding, detail

ROOT = Path(__file__).parents[3]
TEXTS = (ROOT / "clients/verdicts.json").read_text()


def test_python_has_the_same_texts() -> None:
    copy = (ROOT / "clients/python/src/sluice_client/verdicts.json").read_text()
    assert copy == TEXTS, "run make verdicts"


def test_typescript_has_the_same_texts() -> None:
    module = (ROOT / "dashboard/src/lib/verdictTexts.ts").read_text()
    [copy] = re.findall(r"= (\{.*\}) as const;", module, re.DOTALL)
    assert json.loads(copy) == json.loads(TEXTS), "run make verdicts"


@pytest.mark.parametrize("finding", FINDINGS.values(), ids=FINDINGS)
def test_a_finding_has_sentences(finding: Finding) -> None:
    assert finding.reason in get_args(Reason)
    assert finding.message.endswith(".")
    assert finding.remedy.endswith(".") or finding == FINDINGS["live"]


def test_details_that_are_not_known_are_left_out() -> None:
    assert detail(source="api", reason=None, until="10:00") == " (by api; until 10:00)"
    assert detail(source=None, reason="") == ""
