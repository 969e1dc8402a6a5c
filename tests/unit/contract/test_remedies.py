from typing import get_args

import pytest

from sluice_contract.remedies import REMEDIES, SINK_FAILURE, clock_skew_sentence, remedy_of_failure
from sluice_contract.status import FailureType


def test_each_type_of_failure_has_its_remedy() -> None:
    assert set(REMEDIES) == set(get_args(FailureType))


@pytest.mark.parametrize("is_standalone", [False, True])
@pytest.mark.parametrize("kind", [*get_args(FailureType), SINK_FAILURE, "a type of a later version"])
def test_a_remedy_is_one_short_sentence(kind: str, is_standalone: bool) -> None:
    remedy = remedy_of_failure(kind, is_standalone=is_standalone)
    assert remedy[0].isupper()
    assert remedy.endswith(".")
    assert len(remedy.encode()) <= 110


@pytest.mark.parametrize(
    ("milliseconds", "words"), [(-30_291, "30 s behind"), (2_100, "2.1 s ahead of"), (-3_000, "3 s behind")]
)
def test_a_wrong_clock_is_described_with_what_to_do(milliseconds: int, words: str) -> None:
    expected = f"The node's clock is {words} the provider's: run NTP (such as chrony) on the node."
    assert clock_skew_sentence(milliseconds) == expected
