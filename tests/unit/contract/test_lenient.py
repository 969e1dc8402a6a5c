from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice_contract.lenient import decode_readable_fields
from sluice_contract.status import IngestJobStatus, StreamStatus

TIME = "2026-11-23T14:00:00Z"
GAP = {"from": TIME, "to": TIME, "cause": "stall"}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def test_readable_fields_are_read_beside_unreadable_ones() -> None:
    found = decode_readable_fields(
        {"epoch": 7, "phase": "Hibernating", "restart": {"count": 2, "nextAt": []}, "podName": 5}, IngestJobStatus
    )
    assert (found.epoch, found.phase, found.pod_name) == (7, "Hibernating", None)
    assert found.restart is not None
    assert (found.restart.count, found.restart.next_at) == (2, datetime(1970, 1, 1, tzinfo=UTC))


def test_items_that_cannot_be_read_are_left_out() -> None:
    found = decode_readable_fields({"podUID": "p", "gaps": [GAP, {"from": []}, 7]}, StreamStatus)
    assert (found.pod_uid, len(found.gaps)) == ("p", 1)


def test_a_text_that_is_too_long_is_read() -> None:
    assert decode_readable_fields({"podUID": "p" * 300}, StreamStatus).pod_uid == "p" * 300


@pytest.mark.parametrize("raw", [None, [], "text", 7])
def test_a_value_that_is_not_an_object_is_read_as_absent(raw: Any) -> None:
    assert decode_readable_fields(raw, IngestJobStatus) == IngestJobStatus()


@given(st.sampled_from([field.encode_name for field in msgspec.structs.fields(StreamStatus)]), ANYTHING)
def test_no_value_of_a_field_is_an_error(name: str, value: Any) -> None:
    assert decode_readable_fields({"podUID": "p", name: value}, StreamStatus)


@pytest.mark.parametrize("raw", ["\ud800", {"epoch": 7, "restart": "\ud800"}, {"epoch": 7, "conditions": ["\ud800"]}])
def test_half_a_surrogate_pair_hides_no_other_field(raw: Any) -> None:
    found = decode_readable_fields(raw, IngestJobStatus)
    assert found.epoch == (7 if isinstance(raw, dict) else None)
    assert (found.restart, found.conditions) == (None, [])
