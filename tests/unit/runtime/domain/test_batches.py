from sluice_runtime.domain.batches import batches


def test_all_in_order_and_never_too_many_at_once() -> None:
    assert list(batches("ABCDE", 2)) == [["A", "B"], ["C", "D"], ["E"]]


def test_of_nothing_there_is_no_batch() -> None:
    assert list(batches([], 2)) == []
