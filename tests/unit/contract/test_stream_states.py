from typing import get_args

from sluice_contract.status import StreamState
from sluice_contract.stream_states import STREAM_STATES, STREAM_TRANSITIONS, TRANSITION_CAUSES


def test_each_state_has_its_meaning_and_can_be_reached_and_left() -> None:
    states = set(get_args(StreamState))
    assert set(STREAM_STATES) == states
    assert {after for _, after in TRANSITION_CAUSES} == states
    assert {before for before, _ in TRANSITION_CAUSES} == states


def test_each_cause_is_described_once_and_changes_the_state() -> None:
    causes = [each.cause for each in STREAM_TRANSITIONS]
    assert len(set(causes)) == len(causes)
    for each in STREAM_TRANSITIONS:
        assert len(set(each.before)) == len(each.before)
        assert each.after not in each.before


def test_a_transition_with_two_causes_has_both() -> None:
    assert TRANSITION_CAUSES["Live", "BackingOff"] == ("failure", "interruption")
    assert ("Stopped", "Live") not in TRANSITION_CAUSES
