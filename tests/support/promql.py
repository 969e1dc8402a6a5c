"""The series and the labels that an expression in PromQL names. It reads the expressions of this project, not all."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORDS = frozenset(
    [
        "and",
        "or",
        "unless",
        "by",
        "on",
        "without",
        "ignoring",
        "group_left",
        "group_right",
        "bool",
        "offset",
        "inf",
        "nan",
    ]
)
_LABEL_LIST = re.compile(r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_CREATED_LABEL = re.compile(r',\s*"(\w+)",\s*"\$1"')  # by label_replace
_RANGE = re.compile(r"\[[^\]]*\]")
_SELECTOR = re.compile(r"(?<![\w:.])([a-zA-Z_:][\w:]*)\s*(\{[^}]*\})?(?!\s*\(|[\w:])")
_TEXT = re.compile(r'"[^"]*"')


@dataclass(frozen=True)
class Names:
    """What an expression names: selectors, such as `up{job="a"}`, and the labels in lists such as `by (job)`.

    A label that the expression creates itself, by `label_replace`, is not among them.
    """

    selectors: frozenset[str]
    labels: frozenset[str]


def names_in(expression: str) -> Names:
    """Return the selectors and the labels that an expression names."""
    lists = ",".join(_LABEL_LIST.findall(expression))
    labels = {each.strip() for each in lists.split(",") if each.strip()} - set(_CREATED_LABEL.findall(expression))
    text = _RANGE.sub("", _LABEL_LIST.sub(" ", expression))
    selectors = set()
    for found in _SELECTOR.finditer(text):
        is_in_text = any(each.start() < found.start() < each.end() for each in _TEXT.finditer(text))
        if found[1] not in _WORDS and not is_in_text:
            selectors.add(found[1] + (found[2] or ""))
    return Names(frozenset(selectors), frozenset(labels))


def metric_and_matchers(selector: str) -> tuple[str, dict[str, str]]:
    """Return the metric of a selector, and the values of its matchers, regular or not, by their labels."""
    metric, _, rest = selector.partition("{")
    return metric, {label: value for label, _, value in re.findall(r'(\w+)\s*(=~|=)\s*"([^"]*)"', rest)}
