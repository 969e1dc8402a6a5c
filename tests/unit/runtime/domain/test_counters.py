from sluice_runtime.domain.counters import Counters, increment


def test_counts_are_kept_by_label() -> None:
    book: dict[str, int] = {}
    increment(book, "a")
    increment(book, "a", 2)
    increment(book, "b", 0)
    assert book == {"a": 3, "b": 0}


def test_two_processes_counters_are_their_own() -> None:
    first, second = Counters(), Counters()
    increment(first.stops, "x")
    assert second.stops == {}
