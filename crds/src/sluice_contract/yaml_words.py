"""What YAML makes of unquoted words that are meant as text, in clauses for the author of a document."""

from __future__ import annotations

from typing import Any, Final

# The spellings that kubectl reads as a boolean, as far as they can be symbols.
_TRUE_WORDS: Final = "ON, YES, Y and TRUE"
_FALSE_WORDS: Final = "NO, OFF, N and FALSE"

# Each spelling alone, for a search in the text of a document.
BOOLEAN_WORDS: Final = ("ON", "YES", "Y", "TRUE", "NO", "OFF", "N", "FALSE")

UNKNOWN_BOOLEAN: Final = (
    "it is a boolean where text is needed: YAML reads ON, NO, Y and other such words without quotation marks as a "
    'boolean; write "ON"'
)

# For tools that know only that a value is not a text.
TEXT_NEEDED: Final = (
    'YAML does not read this as text: it reads ON as a boolean and 123 as a number; write "ON" or "123"'
)


def reading_of_text(text: str, value: Any) -> str:
    """Return the clause about an unquoted text that YAML does not read as a string.

    >>> reading_of_text("ON", True)
    'YAML reads ON as a boolean; write "ON"'
    """
    return f'YAML reads {text} as {_kind_in_words(value)}; write "{text}"'


def reading_of_boolean(value: bool) -> str:
    """Return the clause about a boolean where text is needed, for a document whose YAML is not known.

    >>> reading_of_boolean(False)
    'YAML reads NO, OFF, N and FALSE without quotation marks as a boolean; write "NO"'
    """
    words = _TRUE_WORDS if value else _FALSE_WORDS
    return f'YAML reads {words} without quotation marks as a boolean; write "{words.split(",")[0]}"'


def _kind_in_words(value: Any) -> str:
    if value is None:
        return "null"
    return "a boolean" if isinstance(value, bool) else "a number"
