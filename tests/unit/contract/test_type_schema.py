from typing import Annotated

import pytest
from msgspec import Meta, inspect

from sluice_contract.base import CamelStruct
from sluice_contract.type_schema import docstring_on_one_line, type_schema


class Part(CamelStruct, frozen=True):
    """A part of a
    document.
    """

    symbols: Annotated[list[Annotated[str, Meta(max_length=21)]], Meta(max_length=3, description="Symbols.")]
    burst: Annotated[int, Meta(ge=1, le=9, description="A number.")] = 4


class Undescribed(CamelStruct, frozen=True):
    name: str


def test_a_struct_has_its_bounds_defaults_and_list_types() -> None:
    assert type_schema(inspect.type_info(Part)) == {
        "type": "object",
        "description": "A part of a document.",
        "properties": {
            "symbols": {
                "type": "array",
                "items": {"type": "string", "maxLength": 21},
                "maxItems": 3,
                "description": "Symbols.",
                "x-kubernetes-list-type": "set",
            },
            "burst": {
                "type": "integer",
                "format": "int64",
                "minimum": 1,
                "maximum": 9,
                "description": "A number.",
                "default": 4,
            },
        },
        "required": ["symbols"],
    }


def test_a_field_without_a_description_is_an_error() -> None:
    with pytest.raises(TypeError, match="name has no description"):
        type_schema(inspect.type_info(Undescribed))


def test_a_docstring_becomes_one_line() -> None:
    assert docstring_on_one_line(" a\n    b ") == "a b"
    assert docstring_on_one_line(None) == ""
