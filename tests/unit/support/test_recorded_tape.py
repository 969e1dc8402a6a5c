from support.recorded_tape import recorded_tape


def test_the_recorded_tape_is_a_file_or_nothing() -> None:
    path = recorded_tape()

    assert path is None or path.name == "us-equities-2013-10-07.csv.gz"
