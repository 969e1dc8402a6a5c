"""A boolean of YAML in the place of a text: what the operator says about each kind that it reads."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sluice_contract.pause_reading import read_pause_spec
from sluice_operator.domain import objects
from sluice_operator.domain.policy_objects import decode_policy_text
from sluice_operator.domain.reduced_documents import decode_job_text
from sluice_operator.domain.stored_job_checks import findings_about_job

from .world import SYNTHETIC

METADATA = {"name": "us", "namespace": "acme", "uid": "u", "generation": 1, "resourceVersion": "1"}
JOB: dict[str, Any] = {"metadata": METADATA, "spec": SYNTHETIC | {"symbols": [True]}}
POLICY = {"metadata": METADATA, "spec": {"namespaceSelector": {"matchLabels": {"desk": True}}}}


@pytest.mark.parametrize(
    ("problem", "field"),
    [
        (objects.decode_job(JOB).problem, "spec.symbols[0] "),
        (decode_job_text(json.dumps(JOB).encode()).problem, "spec.symbols[0] "),
        (decode_policy_text(json.dumps(POLICY).encode()).problem, "spec.namespaceSelector.matchLabels"),
        (read_pause_spec({"jobs": ["us"], "reason": "r", "symbols": [False]}).problem, "spec.symbols[0] "),
    ],
)
def test_the_condition_says_what_to_write(problem: str, field: str) -> None:
    assert problem.startswith(field)
    assert "YAML reads ON, NO, Y and other such words without quotation marks as a boolean" in problem
    assert problem.endswith('write "ON"')


def test_the_finding_of_a_check_says_which_words_it_may_have_been() -> None:
    [finding] = findings_about_job({"metadata": {"name": "us"}, "spec": SYNTHETIC | {"symbols": [False]}})
    assert finding.field == "spec.symbols[0]"
    assert finding.sentence.endswith('NO, OFF, N and FALSE without quotation marks as a boolean; write "NO"')
