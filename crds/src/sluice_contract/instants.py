"""Times in documents: text that the API server, the operator and the pod understand alike.

A `format: date-time` would let the API server accept an array in place of the text (every later server-side apply on
the object then fails with HTTP 500), offsets of 99 hours and years that no calendar has. So the schema of a time is a
pattern and a rule.
"""

from __future__ import annotations

from typing import Any, Final

_PATTERN: Final = (
    r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
_MAX_LENGTH: Final = 35  # nine digits of a second, and an offset

# The last whole second that a Python datetime can hold. CEL itself refuses what lies before the year 1.
LAST: Final = "9999-12-31T23:59:59Z"

_MESSAGE: Final = f"must be an RFC 3339 time up to {LAST}: write one like 2026-11-23T14:00:00Z"

# By the pattern for tools that know nothing of rules, by the rules for people who do not read patterns. The second rule
# fails where a month has no such day.
INSTANT_SCHEMA: Final[dict[str, Any]] = {
    "pattern": _PATTERN,
    "maxLength": _MAX_LENGTH,
    "x-kubernetes-validations": [
        {"rule": f"self.matches(r'{_PATTERN}')", "message": _MESSAGE},
        {"rule": f"timestamp(self) <= timestamp('{LAST}')", "message": _MESSAGE},
    ],
}
