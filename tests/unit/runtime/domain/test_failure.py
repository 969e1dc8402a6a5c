from typing import get_args

from sluice_contract.status import FailureType
from sluice_runtime.domain.failure import FATAL, SinkError, StreamError


def test_only_failures_that_need_a_change_from_outside_are_fatal() -> None:
    fatal = {kind for kind in get_args(FailureType) if StreamError(kind, "").is_fatal}
    assert fatal == FATAL == {"auth", "entitlement", "configuration", "certificate"}


def test_the_text_of_a_failure_is_its_message() -> None:
    assert str(StreamError("network", "it is away", 3.0)) == "it is away"
    assert str(SinkError("it is away", 3.0)) == "it is away"
