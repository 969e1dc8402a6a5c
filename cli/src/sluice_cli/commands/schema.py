"""`kubectl sluice schema`: explains a field of an IngestJob, without a cluster."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ..contract import contract
from ..model.field_reference import FieldReference, field_reference, names_below
from ..views.documents import document, formatted
from ..views.field_text import field_lines, table_lines
from .context import DONE, NOT_REACHED, Context


def run_schema(options: argparse.Namespace, context: Context) -> int:
    """Show a field, or the fields of the spec. Return the exit code."""
    path = options.field.removeprefix("ingestjob.").removeprefix("spec.").replace("[].", ".")
    path = _stored_path(path)
    field = field_reference(path)
    if options.field not in ("", "spec", "ingestjob") and field is None:
        context.warn(_unknown_text(path))
        return NOT_REACHED
    below = _references(names_below(path if field is not None else ""))
    if options.output:
        found = document("FieldList", {"field": field, "items": below})
        context.write(formatted(options.output, found))
    elif field is None:
        context.write(*table_lines(below, context.terminal), "Next: kubectl sluice schema limits.writesPerSecond")
    else:
        context.write(*field_lines(field, below, context.terminal))
    return DONE


def _references(paths: Sequence[str]) -> tuple[FieldReference, ...]:
    return tuple(each for each in map(field_reference, paths) if each is not None)


def _stored_path(path: str) -> str:
    """Return the path as the contract writes it: a list of objects has brackets, which a user may leave out."""
    return next((each for each in contract()["fields"] if each.replace("[]", "") == path), path)


def _unknown_text(path: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415  only a mistake needs it, and it takes 10 ms

    known = list(contract()["fields"])
    last = path.rpartition(".")[2].lower()
    similar = [each for each in known if each.rpartition(".")[2].lower() == last] or get_close_matches(path, known, 1)
    hint = f" Did you mean {similar[0]}?" if similar else " kubectl sluice schema lists the fields."
    return f"An IngestJob has no field spec.{path}.{hint}"
