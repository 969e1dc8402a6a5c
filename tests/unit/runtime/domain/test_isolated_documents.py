"""The documents that are written alone, and when."""

import pytest

from sluice_runtime.domain.isolated_documents import IsolatedDocuments


@pytest.fixture
def isolated() -> IsolatedDocuments:
    return IsolatedDocuments()


def test_a_suspect_is_written_alone_and_at_once(isolated: IsolatedDocuments) -> None:
    isolated.isolate(["a", "b"])
    assert isolated.is_isolated("a", 0.0)
    assert not isolated.is_waiting("a", 0.0)
    assert not isolated.is_isolated("c", 0.0)
    assert isolated.failure_message is None


def test_a_failing_document_waits_longer_after_each_failure(isolated: IsolatedDocuments) -> None:
    waits = []
    for at in range(0, 60, 10):
        isolated.record_failure("a", "live_quotes/A", "locked", at)
        waits.append(next(n / 2 for n in range(40) if not isolated.is_waiting("a", at + n / 2)))
    assert waits == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
    isolated.record_failure("b", "live_quotes/B", "too long", 0.0, 30.0)
    assert isolated.is_waiting("b", 29.9)


def test_a_document_is_written_alone_for_a_minute_after_its_success(isolated: IsolatedDocuments) -> None:
    isolated.record_failure("a", "live_quotes/A", "locked", 0.0)
    isolated.record_success("a", 5.0)
    assert isolated.failure_message is None
    assert not isolated.is_waiting("a", 5.0)
    assert isolated.is_isolated("a", 64.9)
    assert not isolated.is_isolated("a", 65.0)


def test_the_message_names_up_to_three_documents(isolated: IsolatedDocuments) -> None:
    isolated.record_failure("1", "live_quotes/1", "locked", 0.0)
    assert isolated.failure_message == "live_quotes/1: locked"
    for n in range(2, 6):
        isolated.record_failure(str(n), f"live_quotes/{n}", "locked", 0.0)
    assert isolated.failure_message == "live_quotes/1, live_quotes/2, live_quotes/3 and 2 more: locked"
    isolated.forget(str(n) for n in range(9))
    assert isolated.failure_message is None
