"""The types of the validation rules that concern more than one field."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:  # the spec of a job has the blocks, which have rules
    from .resource import IngestJob


class SchemaRule(msgspec.Struct, frozen=True, kw_only=True):
    """A validation rule as a CEL expression for the API server, with its message for people.

    `path` is the place in the schema, below the root, to which the expression is attached. `[]` in it stands for the
    items of a list.
    """

    path: tuple[str, ...]
    rule: str
    message: str


class ValidationRule(SchemaRule, frozen=True, kw_only=True):
    """A validation rule of an IngestJob, which a runtime without an API server evaluates as a predicate (`holds`)."""

    holds: Callable[[IngestJob], bool]
    standalone_message: str = ""  # for a runtime without a cluster; empty: `message`
