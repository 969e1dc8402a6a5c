"""Findings about stops that a file declares, and about live values of others that an apply would overwrite."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...text.instants import instant_text
from ..fields import child
from .field_managers import FieldOwner, other_owner
from .findings import Finding
from .spec_changes import Change, value_text

_STOPS = {
    "enabled": "each apply of this file sets it, and so undoes a stop by kubectl patch",
    "pause": "each apply of this file sets it, and so undoes kubectl patch and the end of the pause",
    "pausedSymbols": "an apply of this file replaces the list, and so undoes kubectl patch and the end of a pause",
}
_REMEDY = (
    "Leave {field} out of the file, unless the file is the place where your team stops feeds. kubectl sluice pause "
    "holds in any case."
)


def declared_stop_findings(document: dict[str, Any]) -> list[Finding]:
    """Return a warning for each switch that the document declares."""
    spec = child(document, "spec")
    return [
        Finding("warning", "git", f"The file declares spec.{name}: {effect}.", _REMEDY.format(field=f"spec.{name}"))
        for name, effect in _STOPS.items()
        if name in spec
    ]


def overwrite_findings(live: dict[str, Any] | None, changes: Iterable[Change], manager: str = "") -> list[Finding]:
    """Return a warning for each changed field whose live value another manager has set than the one that applies.

    `manager` is empty for that of kubectl apply.
    """
    found = []
    for change in changes if live is not None else ():
        items = change.removed if change.removed or change.added else ()
        if (change.added and not change.removed) or change.before is None:
            continue
        owner = other_owner(live or {}, change.path, items, manager)
        if owner is not None:
            found.append(Finding("warning", "overwrite", _overwrite_sentence(change, owner)))
    return found


def _overwrite_sentence(change: Change, owner: FieldOwner) -> str:
    at = f" at {instant_text(owner.at)}" if owner.at else ""
    if change.removed:
        value, effect = ", ".join(change.removed), "removes it"
        return f"{owner.manager} set {value} in {change.path}{at}: this apply {effect}."
    effect = "removes it" if change.after is None else f"sets {value_text(change.after)}"
    return f"{owner.manager} set {change.path} to {value_text(change.before)}{at}: this apply {effect}."
