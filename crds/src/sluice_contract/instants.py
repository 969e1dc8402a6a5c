"""Times in documents, as text that the API server, the operator and the pod read alike.

A `format: date-time` would let the API server accept an array in place of the text (every later server-side apply on
the object then fails with HTTP 500), offsets of 99 hours and years that no calendar has. So the schema of a time is a
pattern, which accepts exactly the times that all readers can decode (docs/adr/0014).
"""

from __future__ import annotations

from typing import Any, Final

_DAYS_31: Final = r"(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])"
_DAYS_30: Final = r"(0[469]|11)-(0[1-9]|[12][0-9]|30)"
_DAYS_28: Final = r"02-(0[1-9]|1[0-9]|2[0-8])"
_DAY: Final = f"({_DAYS_31}|{_DAYS_30}|{_DAYS_28})"
_LEAP_YEAR: Final = r"([0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)"
_CLOCK: Final = r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_FRACTION: Final = r"(\.[0-9]{1,9})?"
_OFFSET: Final = r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
# With an offset or a rounded fraction, a time at either end of the calendar would lie beyond it.
_MIDDLE_YEAR: Final = r"(000[2-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-8][0-9]{3}|9[0-8][0-9]{2}|99[0-8][0-9]|999[0-8])"
_OUTER_YEAR: Final = r"(0001|9999)"
_MIDDLE: Final = f"({_MIDDLE_YEAR}-{_DAY}|{_LEAP_YEAR}-02-29){_CLOCK}{_FRACTION}{_OFFSET}"
_OUTER: Final = f"{_OUTER_YEAR}-{_DAY}{_CLOCK}Z"

PATTERN: Final = f"^({_MIDDLE}|{_OUTER})$"

# There is no rule in addition to the pattern: a rule that fails on a value stored before the rule existed refuses every
# later write of the object, including a stop. The API server accepts an unchanged value that does not match a pattern.
INSTANT_SCHEMA: Final[dict[str, Any]] = {"pattern": PATTERN, "maxLength": 35}

_MESSAGE: Final = "must be an RFC 3339 time up to the year 9999: write one like 2026-11-23T14:00:00Z"

# A message for people who do not read patterns. The rule always holds where the field had a value before.
SPEC_INSTANT_SCHEMA: Final[dict[str, Any]] = INSTANT_SCHEMA | {
    "x-kubernetes-validations": [
        {
            "rule": f"oldSelf.hasValue() || self.matches(r'{PATTERN}')",
            "optionalOldSelf": True,
            "message": _MESSAGE,
        }
    ]
}
