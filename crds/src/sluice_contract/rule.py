"""The type of the validation rules that concern more than one field."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from .resource import IngestJob


class ValidationRule(msgspec.Struct, frozen=True, kw_only=True):
    """A validation rule, once as a CEL expression for the API server and once as a Python predicate (`holds`).

    `path` is the place in the schema, below the root, to which the CEL expression is attached.
    """

    path: tuple[str, ...]
    rule: str
    message: str
    holds: Callable[[IngestJob], bool]
    standalone_message: str = ""  # for a runtime without a cluster; empty: `message`
