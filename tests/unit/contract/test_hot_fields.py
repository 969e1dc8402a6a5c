from typing import Annotated

import pytest
from msgspec import Meta

from sluice_contract.base import CamelStruct
from sluice_contract.hot_fields import HOT, hot_field_paths, with_hot_fields_of


class Limits(CamelStruct, frozen=True):
    """A struct that is hot as a whole, or that has one hot field."""

    burst_size: Annotated[int, Meta(ge=1), HOT] = 1
    unit: str = "s"


class Block(CamelStruct, frozen=True):
    """A cold struct with a hot field in a struct of its own."""

    limits: Limits = Limits()
    note: str = ""


class Declared(CamelStruct, frozen=True):
    """A document with marks in each position."""

    name: str = ""
    is_on: Annotated[bool, HOT] = True
    sessions: Annotated[list[str], Meta(min_length=1), HOT] | None = None
    until: Annotated[int | None, Meta(description="the end"), HOT] = None
    all_limits: Annotated[Limits, HOT] = Limits()
    block: Annotated[Block, Meta(description="a block")] = Block()


def test_a_mark_stands_on_the_field_whatever_its_type() -> None:
    assert hot_field_paths(Declared) == {"isOn", "sessions", "until", "allLimits", "block.limits.burstSize"}


def test_only_the_hot_fields_are_taken_from_the_other_struct() -> None:
    other = Declared(
        name="b",
        is_on=False,
        sessions=["regular"],
        until=3,
        all_limits=Limits(burst_size=2, unit="m"),
        block=Block(limits=Limits(burst_size=4, unit="h"), note="b"),
    )
    assert with_hot_fields_of(Declared(name="a"), other) == Declared(
        name="a",
        is_on=False,
        sessions=["regular"],
        until=3,
        all_limits=Limits(burst_size=2, unit="m"),
        block=Block(limits=Limits(burst_size=4)),
    )


def test_a_struct_that_may_be_absent_cannot_have_a_hot_field_of_its_own() -> None:
    class Optional(CamelStruct, frozen=True):
        block: Annotated[Limits | None, Meta(description="a block")] = None

    with pytest.raises(TypeError, match="mark block itself"):
        hot_field_paths(Optional)
