"""The cases that Python and TypeScript share, and what the table cannot say."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from sluice_client import Reader, Reason, Verdict, is_live, parse_heartbeat, parse_quote
from sluice_client.texts import FINDINGS
from support.verdict_cases import VerdictCase, verdict_cases

CASES = verdict_cases()
COMPLETE = CASES[0]


def verdict(case: VerdictCase, **reader: Any) -> Verdict:
    found = Reader(**{**case.reader, **reader})
    return is_live(parse_quote(case.quote), parse_heartbeat(case.heartbeat), case.now, found)


def changed(of: str, document: object) -> VerdictCase:
    fields: dict[str, Any] = {of: document}
    return dataclasses.replace(COMPLETE, **fields)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_verdict_is_that_of_the_table(case: VerdictCase) -> None:
    found = dataclasses.asdict(verdict(case))
    assert {name: found[name] for name in case.expected} == case.expected


def test_the_table_has_each_reason_and_distinct_names() -> None:
    assert {case.expected["reason"] for case in CASES} == set(get_args(Reason))
    assert len({case.name for case in CASES}) == len(CASES) >= 60


def test_each_message_of_the_table_belongs_to_a_finding_and_each_finding_has_a_case() -> None:
    patterns = {name: re.sub(r"\\\{\w+\\\}", ".*", re.escape(finding.message)) for name, finding in FINDINGS.items()}
    messages = [case.expected["message"] for case in CASES]
    unused = [name for name, pattern in patterns.items() if not any(re.fullmatch(pattern, each) for each in messages)]
    assert unused == []


def test_whatever_is_not_usable_says_what_to_do() -> None:
    for case in CASES:
        found = verdict(case)
        assert bool(found.remedy) != found.usable, case.name
        assert found.live or not found.usable


def test_a_failure_brings_its_own_remedy() -> None:
    [case] = [case for case in CASES if case.name == "a blocked job with its failure"]
    assert verdict(case).remedy == "Replace the Secret beta/alpaca."


def test_no_verdict_changes_while_only_time_passes() -> None:
    before = is_live(None, parse_heartbeat({"ts": "2026-03-02T14:00:00Z"}), datetime(2026, 3, 2, 15, 0, tzinfo=UTC))
    after = is_live(None, parse_heartbeat({"ts": "2026-03-02T14:00:00Z"}), datetime(2026, 3, 2, 16, 0, tzinfo=UTC))
    assert before == after


@pytest.mark.parametrize("foreign", [None, 5, "x", [], {}, {"a": object()}, b"x", True, {5: 6}])
@pytest.mark.parametrize("of", ["quote", "heartbeat"])
def test_no_document_raises(foreign: object, of: str) -> None:
    assert verdict(changed(of, foreign)).live is False


FOREIGN = [None, "", "x", "{symbol}", -1, 10**400, float("nan"), float("-inf"), True, [], [{}], {}, {"a": []}, object()]


@pytest.mark.parametrize("of", ["quote", "heartbeat"])
def test_no_value_of_any_field_raises(of: str) -> None:
    complete: Any = getattr(COMPLETE, of)
    for field in complete:
        for value in FOREIGN:
            verdict(changed(of, {**complete, field: value}))
