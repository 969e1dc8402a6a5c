"""Label selectors: the form of kubectl's option `-l`, and that of an IngestPause."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from .fields import child, objects, text, texts

# Patterns are compiled at their first use: most commands need none of them, and this one takes 2 ms.
_REQUIREMENT = r"""\s*(?:
        !\s*(?P<absent>[^\s=!,()]+)
      | (?P<key>[^\s=!,()]+)\s*(?:
            (?P<equality>==|=|!=)\s*(?P<value>[^\s=!,()]*)
          | \s(?P<set>in|notin)\s*\((?P<values>[^()]*)\)
        )?
    )\s*(?:,|$)"""


class Requirement(NamedTuple):
    """A requirement on one label. `operator` is In, NotIn, Exists or DoesNotExist."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether labels meet the requirement, as the API server decides it."""
        if self.operator == "Exists":
            return self.key in labels
        if self.operator == "DoesNotExist":
            return self.key not in labels
        return (labels.get(self.key) in self.values) == (self.operator == "In")


def parse_selector(written: str) -> frozenset[Requirement]:
    """Return the requirements of a selector such as `desk=rates,tier in (a,b),!test`.

    Raises:
        ValueError: it is not a selector; the text says how to write one.
    """
    pattern = re.compile(_REQUIREMENT, re.VERBOSE)
    found: set[Requirement] = set()
    position = 0
    while position < len(written) or not found:
        match = pattern.match(written, position)
        if match is None or match.end() == position:
            raise ValueError(f"{written!r} is not a label selector: write it like desk=rates,tier in (a,b)")
        found.add(_requirement(match))
        position = match.end()
    return frozenset(found)


def _requirement(match: re.Match[str]) -> Requirement:
    if match["absent"]:
        return Requirement(match["absent"], "DoesNotExist")
    if match["equality"]:
        return Requirement(match["key"], "NotIn" if match["equality"] == "!=" else "In", (match["value"],))
    if match["set"]:
        values = tuple(sorted(each.strip() for each in match["values"].split(",")))
        return Requirement(match["key"], "In" if match["set"] == "in" else "NotIn", values)
    return Requirement(match["key"], "Exists")


def selector_document(selector: frozenset[Requirement]) -> dict[str, Any]:
    """Return the selector in the form of `spec.jobSelector`."""
    labels: dict[str, str] = {}
    expressions = []
    for each in sorted(selector):
        if each.operator == "In" and len(each.values) == 1 and each.key not in labels:
            labels[each.key] = each.values[0]
        else:
            values = {"values": list(each.values)} if each.values else {}
            expressions.append({"key": each.key, "operator": each.operator, **values})
    return {
        **({"matchLabels": labels} if labels else {}),
        **({"matchExpressions": expressions} if expressions else {}),
    }


def selector_of_document(document: Mapping[str, Any]) -> frozenset[Requirement]:
    """Return the requirements of a `spec.jobSelector`."""
    labels = child(document, "matchLabels")
    expressions = objects(document, "matchExpressions")
    return frozenset(
        [
            *(Requirement(key, "In", (value,)) for key, value in labels.items()),
            *(
                Requirement(text(each, "key"), text(each, "operator"), tuple(sorted(texts(each, "values"))))
                for each in expressions
            ),
        ]
    )


def selects(selector: frozenset[Requirement], labels: Mapping[str, str]) -> bool:
    """Return whether an object with these labels is selected."""
    return all(each.matches(labels) for each in selector)
