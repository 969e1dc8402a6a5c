import re

from sluice_contract.stream_state_reference import diagram_lines, stream_state_section
from sluice_contract.stream_states import ACTIVE_STATES, STREAM_STATES, STREAM_TRANSITIONS, TRANSITION_CAUSES

LINES = stream_state_section().splitlines()


def drawn_causes() -> dict[tuple[str, str], set[str]]:
    """Return the causes on the arrows of the diagram. An arrow from the frame counts for each state in it."""
    found: dict[tuple[str, str], set[str]] = {}
    for line in diagram_lines():
        if arrow := re.fullmatch(r" +(\w+) --> (\w+): (.+)", line):
            for before in ACTIVE_STATES if arrow[1] == "Active" else (arrow[1],):
                assert (before, arrow[2]) not in found, line
                found[before, arrow[2]] = set(arrow[3].split(", "))
    return found


def test_each_state_and_each_cause_has_its_row() -> None:
    for state, meaning in STREAM_STATES.items():
        assert f"| `{state}` | {meaning} |" in LINES
    for each in STREAM_TRANSITIONS:
        [row] = [line for line in LINES if line.startswith(f"| {each.cause} | ")]
        assert row == f"| {each.cause} | {', '.join(each.before)} | `{each.after}` | {each.meaning} |"


def test_the_diagram_has_one_arrow_for_each_transition_and_no_other() -> None:
    drawn = drawn_causes()
    assert set(drawn) == set(TRANSITION_CAUSES)
    for pair, causes in TRANSITION_CAUSES.items():
        assert set(causes) <= drawn[pair]


def test_the_diagram_is_a_block_that_begins_with_the_first_state() -> None:
    assert [line for line in LINES if line.startswith("```")] == ["```mermaid", "```"]
    assert "    [*] --> Stopped" in LINES
