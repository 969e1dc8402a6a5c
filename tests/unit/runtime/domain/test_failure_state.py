from sluice_contract.status import StreamFailure
from sluice_runtime.domain.failure_state import FailureState
from support.virtual_time import START


def test_a_failure_is_current_and_unresolved_until_the_stream_is_live() -> None:
    state = FailureState()
    state.record("auth", "check the key", START)
    failure = StreamFailure(type="auth", message="check the key", at=START)
    assert [state.current, state.unresolved] == [failure, failure]
    state.resolve()
    assert [state.current, state.unresolved] == [None, None]


def test_a_pause_keeps_the_failure_as_unresolved_only() -> None:
    state = FailureState()
    state.record("auth", "check the key", START)
    state.keep_for_pause()
    assert state.current is None
    assert state.unresolved is not None
    state.keep_for_pause()
    assert state.unresolved is not None
    state.resolve()
    assert state.unresolved is None


def test_a_later_failure_replaces_the_kept_one() -> None:
    state = FailureState()
    state.record("auth", "check the key", START)
    state.keep_for_pause()
    state.record("network", "no route", START)
    failure = StreamFailure(type="network", message="no route", at=START)
    assert [state.current, state.unresolved] == [failure, failure]
