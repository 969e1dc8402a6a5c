from sluice_contract.condition_reference import condition_tables
from sluice_contract.conditions import REASONS, TYPES
from sluice_contract.remedies import REMEDIES

LINES = condition_tables().splitlines()


def test_each_condition_each_reason_and_each_failure_has_its_row() -> None:
    for each in TYPES.values():
        assert f"| `{each.name}` | {each.polarity} | {each.meaning} |" in LINES
    for reason in REASONS.values():
        [row] = [line for line in LINES if line.startswith(f"| `{reason.name}` | ") and line.count("|") == 5]
        assert row.endswith(f" | {reason.meaning} | {reason.remedy} |")
    for kind, remedy in REMEDIES.items():
        assert f"| `{kind}` | {remedy} |" in LINES


def test_a_reason_of_an_event_names_no_condition() -> None:
    [row] = [line for line in LINES if "`StopEnforced`" in line]
    assert "| an Event alone |" in row
