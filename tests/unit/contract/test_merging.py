from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sluice_contract.merging import create_merge_patch, create_removal_patch

OBJECTS = st.recursive(
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 2) | st.lists(st.integers(0, 1), max_size=2)),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner | st.integers(0, 2)),
    max_leaves=6,
)


def patched(stored: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Apply a merge patch (RFC 7386), as an API server does."""
    found = dict(stored)
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        elif isinstance(value, dict):
            before = found.get(name)
            found[name] = patched(before if isinstance(before, dict) else {}, value)
        else:
            found[name] = value
    return found


@given(OBJECTS, OBJECTS)
def test_the_patch_turns_the_stored_document_into_the_wanted_one(
    stored: dict[str, Any], wanted: dict[str, Any]
) -> None:
    assert patched(stored, create_merge_patch(stored, wanted)) == wanted


@given(OBJECTS)
def test_equal_documents_give_an_empty_patch(stored: dict[str, Any]) -> None:
    assert create_merge_patch(stored, stored) == {}
    assert create_removal_patch(stored, stored) == {}


def test_only_unwanted_fields_are_removed() -> None:
    stored = {"a": 1, "b": {"c": 1, "d": 2}, "e": {"f": 1}}
    assert create_removal_patch(stored, {"a": 2, "b": {"c": 3}}) == {"b": {"d": None}, "e": None}
