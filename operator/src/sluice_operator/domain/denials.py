"""A field of a job that the platform does not allow."""

from __future__ import annotations

import re
from typing import Final

import msgspec

_ENTRIES_SHOWN: Final = 5
_SEPARATORS: Final = re.compile(r"[,\s]+")


class Denial(msgspec.Struct, frozen=True):
    """A field with a value that the settings of the operator do not allow. The message says what to do."""

    field: str
    message: str


def entries_of_setting(text: str) -> list[str]:
    """Return the entries of the text of a setting, which are separated by commas or spaces."""
    return [entry for entry in _SEPARATORS.split(text) if entry]


def allowed_entries_text(entries: tuple[str, ...]) -> str:
    """Return the first entries of a setting, for a message, such as "feeds, batch"; "none" if there is no entry."""
    shown, more = ", ".join(entries[:_ENTRIES_SHOWN]), len(entries) - _ENTRIES_SHOWN
    return (f"{shown} and {more} more" if more > 0 else shown) or "none"


def request_text(entry: str, variable: str) -> str:
    """Return the end of a message: what to ask the platform's administrator for."""
    return f"ask the administrator of the platform to add {entry} to {variable}"
