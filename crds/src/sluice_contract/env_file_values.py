"""Values of environment variables as `docker run --env-file` and `kubectl create secret --from-env-file` pass them.

Unlike a shell, both keep quotation marks, comments after the value, and spaces as parts of the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

_QUOTATION_MARKS: Final = "\"'\u201c\u201d\u2018\u2019"  # straight ones, and those of word processors
_COMMENT: Final = re.compile(r"\s#")
_CAUSE: Final = "an env file passes it on as part of the value"


def clean_value(value: str) -> str:
    """Return a value without the byte order mark, spaces and line ends around it, which nothing needs."""
    return value.removeprefix("\ufeff").strip()


def env_file_mistake(name: str, value: str) -> str | None:
    """Return what is wrong with a value that a shell would have read differently, and what to write; None if nothing.

    The sentence names the variable. It contains no part of the value, which may be a secret.
    """
    value = clean_value(value)
    comment = "" if _COMMENT.search(value) is None else ", and a comment on a line of its own"
    if value and (value[0] in _QUOTATION_MARKS or value[-1] in _QUOTATION_MARKS):
        return f"{name} has quotation marks around its value ({_CAUSE}); write {name}=value without them{comment}"
    if comment:
        return f"{name} has a comment after its value ({_CAUSE}); write the comment on a line of its own"
    return None


def env_file_mistakes(environment: Mapping[str, str], names: Iterable[str]) -> list[str]:
    """Return the mistakes in those of the variables that are set, in the order of `names`."""
    found = (env_file_mistake(name, environment[name]) for name in names if environment.get(name))
    return [each for each in found if each is not None]
