from sluice_runtime.domain.batches import batches


def test_batches_keep_the_order_and_the_maximum_size() -> None:
    assert list(batches("ABCDE", 2)) == [["A", "B"], ["C", "D"], ["E"]]


def test_an_empty_list_has_no_batches() -> None:
    assert list(batches([], 2)) == []
