from typing import get_args

import pytest

from sluice_contract.remedies import REMEDIES, SINK_FAILURE, remedy_of_failure
from sluice_contract.status import FailureType


def test_each_type_of_failure_has_its_remedy() -> None:
    assert set(REMEDIES) == set(get_args(FailureType))


@pytest.mark.parametrize("kind", [*get_args(FailureType), SINK_FAILURE, "a type of a later version"])
def test_a_remedy_is_one_short_sentence(kind: str) -> None:
    remedy = remedy_of_failure(kind)
    assert remedy[0].isupper()
    assert remedy.endswith(".")
    assert len(remedy.encode()) <= 110
