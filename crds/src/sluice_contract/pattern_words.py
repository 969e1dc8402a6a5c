"""What each pattern of the spec allows, in words: messages show these, because few people read patterns."""

from __future__ import annotations

from typing import Final

_OBJECT_NAME: Final = "use lower-case letters, digits, - and ., with a letter or digit first and last"
_LABEL_VALUE: Final = "use letters, digits, -, _ and ., with a letter or digit first and last"
_QUANTITY: Final = "write a number, with a unit where one is needed, such as 500m or 256Mi"
_DOCUMENT_ID: Final = "use letters, digits, _ and -, with a letter first"

# The keys are the texts of the patterns; a test checks that each pattern of the spec is here.
WORDS_BY_PATTERN: Final[dict[str, str]] = {
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$": "use lower-case letters, digits and -, with a letter or digit first and last",
    r"^[A-Z][A-Z0-9]*([./][A-Z0-9]+)?$": "a symbol is in upper case, with a dot before a share class and a slash in a "
    "pair: write SPY, BRK.B or BTC/USD",
    r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$": _OBJECT_NAME,
    r"^wss?://[!-~]+$": "write a URL that starts with wss:// or ws://, without spaces",
    r"^https?://[!-\"$->@-~]+$": "write a URL that starts with https:// or http://, without spaces, ? and #",
    r"^[A-Za-z0-9:]([-A-Za-z0-9.:]*[A-Za-z0-9])?$": "write a host name or an IP address, without a port",
    r"^[-._a-zA-Z0-9]+$": "use letters, digits, -, _ and .",
    r"^[A-Za-z0-9_][-._A-Za-z0-9]*(/[A-Za-z0-9_][-._A-Za-z0-9]*)*$": "write a relative path such as tapes/monday.csv, "
    "without spaces and without .. in it",
    r"^[A-Za-z][A-Za-z0-9_-]*$": _DOCUMENT_ID,
    r"^[a-z][-a-z0-9]{4,28}[a-z0-9]$": "write the project's ID: 6 to 30 lower-case letters, digits and -, with a "
    "letter first",
    r"^(\(default\)|[a-z][-a-z0-9]{2,61}[a-z0-9])$": "write (default), or 4 to 63 lower-case letters, digits and -, "
    "with a letter first",
    r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$": _QUANTITY,
    r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$": _LABEL_VALUE,
    r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$": f"{_LABEL_VALUE}, after an "
    "optional prefix such as example.com/",
}
_UNKNOWN_PATTERN: Final = "its characters are not those that this field allows; see the field's description"


def words_for_pattern(pattern: str) -> str:
    """Return a clause that says what to write for a value that must match `pattern`."""
    return WORDS_BY_PATTERN.get(pattern, _UNKNOWN_PATTERN)


def has_words(pattern: str) -> bool:
    """Return whether the pattern has a clause of its own."""
    return pattern in WORDS_BY_PATTERN
