"""The age of each watch."""

from sluice_contract import identity
from sluice_operator.watch_ages import WatchAges


def test_the_age_begins_with_the_process_and_again_with_each_sign() -> None:
    seconds = [100.0]
    ages = WatchAges(lambda: seconds[0])
    seconds[0] = 130.0
    ages.record_sign("pods")
    seconds[0] = 140.0
    assert ages.seconds_by_kind() == {identity.PLURAL: 40.0, "pods": 10.0}


def test_a_kind_that_may_not_be_served_has_an_age_once_it_is_watched() -> None:
    ages = WatchAges(lambda: 5.0)
    assert identity.PAUSES not in ages.seconds_by_kind()
    ages.record_sign(identity.PAUSES)
    assert ages.seconds_by_kind()[identity.PAUSES] == 0.0
