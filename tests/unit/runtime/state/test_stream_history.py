from datetime import timedelta

from sluice_contract.status import StreamFailure
from sluice_runtime.domain.desired import UNREAD
from sluice_runtime.domain.pause import PauseInForce
from sluice_runtime.state.stream_history import StreamHistory
from support.virtual_time import START

FAILURE = StreamFailure(type="network", message="connection reset", at=START)


def test_the_history_has_the_last_ten_states_that_last_the_newest_first() -> None:
    history = StreamHistory()
    for second in range(12):
        at = START + timedelta(seconds=second)
        history.record_state("Connecting", at, None, None)
        history.record_state("Live" if second % 2 else "BackingOff", at, None, FAILURE)
    assert len(history.changes) == 10
    newest, before = history.changes[:2]
    assert (newest.state, newest.reason, newest.message) == ("Live", None, None)
    assert (before.state, before.reason, before.message) == ("BackingOff", "network", "connection reset")
    assert newest.at == START + timedelta(seconds=11)


def test_a_pause_has_its_switch_and_its_reason() -> None:
    history = StreamHistory()
    history.record_state("Paused", START, PauseInForce(source="pause:x", reason="vendor"), FAILURE)
    [change] = history.changes
    assert (change.state, change.reason, change.message) == ("Paused", "pause:x", "vendor")


def test_the_wait_for_the_first_read_of_the_job_is_no_change() -> None:
    history = StreamHistory()
    history.record_state("Paused", START, UNREAD, None)
    assert history.changes == ()


def test_the_changes_of_the_previous_process_follow_those_of_this_one() -> None:
    before, history = StreamHistory(), StreamHistory()
    before.record_state("Live", START, None, None)
    history.record_state("Blocked", START, None, FAILURE)
    history.inherit(before.changes * 10)
    assert [change.state for change in history.changes] == ["Blocked", *["Live"] * 9]
