"""Build the tables of conditions, reasons and failures in docs/ingestjob.md."""

from __future__ import annotations

from collections.abc import Mapping

from .condition_types import ConditionType, Reason
from .conditions import REASONS, TYPES
from .remedies import REMEDIES

_HEAD = """\
## Conditions

A condition of normal polarity is good when True, and False needs a look. A condition of abnormal polarity is present
only while it applies. `kubectl wait --for=condition=Ready ij/JOB` waits for the declared state.

| condition | polarity | what True means |
| --- | --- | --- |
"""
_REASONS = """\

### Reasons

The message of a condition has the names and numbers of the case at hand. An Event has the reason of its condition.

| reason | conditions | what it means | what to do |
| --- | --- | --- | --- |
"""
_FAILURES = """\

### Failures

The type of a failure is in `status.stream.failure.type` and in the heartbeat document.

| failure | what to do |
| --- | --- |
"""


def condition_tables() -> str:
    """Return the tables of all conditions, reasons and failures of a job, with their headings."""
    failures = (f"| `{kind}` | {remedy} |" for kind, remedy in REMEDIES.items())
    return "\n".join(
        (_HEAD + condition_rows(TYPES), _REASONS + reason_rows(REASONS), _FAILURES + "\n".join(failures), "")
    )


def condition_rows(types: Mapping[str, ConditionType]) -> str:
    """Return the rows of the table of condition types: name, polarity, and what True means."""
    return "\n".join(f"| `{each.name}` | {each.polarity} | {each.meaning} |" for each in types.values())


def reason_rows(reasons: Mapping[str, Reason]) -> str:
    """Return the rows of the table of reasons by name: the conditions, what it means, and what to do."""
    return "\n".join(map(_reason_row, sorted(reasons.values(), key=lambda reason: reason.name)))


def _reason_row(reason: Reason) -> str:
    types = ", ".join(reason.types) or "an Event alone"
    return f"| `{reason.name}` | {types} | {reason.meaning} | {reason.remedy} |"
