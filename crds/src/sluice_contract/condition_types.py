"""The form of the declarations of condition types and reasons, and their catalog for one kind of object."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

# `normal`: the condition is good when True, and False needs a look. `abnormal`: the condition names something to look
# at, and is present only while it applies, as kstatus expects of Reconciling and Stalled.
Polarity = Literal["normal", "abnormal"]

NOTHING_TO_DO: Final = "Nothing."


class ConditionType(msgspec.Struct, frozen=True):
    """A type of condition: what it means when it is True, and its polarity."""

    name: str
    meaning: str
    polarity: Polarity


class Reason(msgspec.Struct, frozen=True):
    """A reason: the types of the conditions that can have it, what it means, and what to do about it.

    The reason of an Event alone has no types.
    """

    name: str
    types: tuple[str, ...]
    meaning: str
    remedy: str


class ConditionCatalog:
    """The condition types and the reasons of one kind of object, each by its name, in the order of declaration."""

    def __init__(self) -> None:
        self.types: Final[dict[str, ConditionType]] = {}
        self.reasons: Final[dict[str, Reason]] = {}

    def add_type(self, name: str, polarity: Polarity, meaning: str) -> str:
        """Add a condition type. Return its name."""
        self.types[name] = ConditionType(name, meaning, polarity)
        return name

    def add_reason(self, name: str, types: tuple[str, ...], meaning: str, remedy: str = NOTHING_TO_DO) -> str:
        """Add a reason of conditions of these types. Return its name."""
        self.reasons[name] = Reason(name, types, meaning, remedy)
        return name
