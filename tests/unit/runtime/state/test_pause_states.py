from sluice_contract.identity import CLUSTER_PAUSES, PAUSES
from sluice_runtime.domain.pause_objects import KnownPauses, PauseObject, PausesOfKind
from sluice_runtime.state.pause_states import PauseStates

SOME = PausesOfKind(pauses=(PauseObject(source="pause:x", reason="vendor"),))


def test_each_kind_has_its_own_pauses() -> None:
    states = PauseStates(lambda _: None)
    states.set_pauses(PAUSES, SOME)
    assert states.value == KnownPauses(of_namespace=SOME)
    states.set_pauses(CLUSTER_PAUSES, SOME)
    states.set_pauses(PAUSES, PausesOfKind())
    assert states.value == KnownPauses(of_cluster=SOME)


def test_a_kind_that_may_not_be_read_keeps_its_pauses_and_is_reported_once() -> None:
    failures: list[str] = []
    states = PauseStates(failures.append)
    states.set_pauses(PAUSES, SOME)
    for message in ("forbidden", "forbidden", "still forbidden"):
        states.record_unreadable_pauses(PAUSES, message)
    assert failures == ["forbidden", "still forbidden"]
    assert (states.value.of_namespace.pauses, states.value.problem) == (SOME.pauses, "still forbidden")
    states.set_pauses(PAUSES, SOME)
    assert states.value.problem == ""


def test_restored_pauses_are_in_force_before_the_first_read() -> None:
    states = PauseStates(lambda _: None)
    states.expect_first_read(KnownPauses(of_namespace=SOME))
    assert not states.value.are_read
    assert states.value.of_namespace.pauses == SOME.pauses
    states.record_unreadable_pauses(PAUSES, "forbidden")
    assert (states.value.are_read, states.value.of_namespace.pauses) == (False, SOME.pauses)
    states.accept_restored_pauses()
    assert states.value.are_read
