"""The type of rules across fields."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from .resource import IngestJob


class ValidationRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule: its path in the schema (below the root), its CEL expression, its message, and its predicate in Python."""

    path: tuple[str, ...]
    rule: str
    message: str
    holds: Callable[[IngestJob], bool]
