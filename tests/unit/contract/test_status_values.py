from typing import Annotated, Literal

import msgspec

from sluice_contract.status_values import enum_text_schema


def test_an_enumeration_is_listed_in_the_schema_and_decodes_any_text() -> None:
    annotated = Annotated[str, enum_text_schema(Literal["a", "b"], "One of two.")]
    assert msgspec.json.schema(annotated)["enum"] == ["a", "b"]
    assert msgspec.convert("written by another version", annotated) == "written by another version"
