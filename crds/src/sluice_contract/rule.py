"""What a rule across fields is."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from .resource import IngestJob


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule: where it stands in the schema (a path below the root), as CEL and as a predicate, and its sentence."""

    path: tuple[str, ...]
    rule: str
    message: str
    holds: Callable[[IngestJob], bool]
