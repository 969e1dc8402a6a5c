"""Values that YAML does not read as the text that their author meant, such as the symbol ON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from ...contract import contract
from ...text.printable import printable
from ..fields import child
from .findings import Finding

_QUOTED_OR_COMMENT = re.compile(r"""'[^'\n]*'|"[^"\n]*"|(?<!\S)#[^\n]*""")


def misread_values(document: dict[str, Any], source: str) -> dict[str, Finding]:
    """Return a finding for each value of the spec that is not text where the schema needs text, by its path.

    `source` is the text of the file, in which the word is looked for; it may be empty.
    """
    found = {}
    for path, value in _misread(child(document, "spec")):
        found[path] = Finding("problem", "yaml", f"{path} is {_value_text(value)}: {_clause(value, source)}.")
    return found


def _misread(spec: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    fields = contract()["fields"]
    for path, field in fields.items():
        has_parts = any(each.startswith((f"{path}.", f"{path}[]")) for each in fields)
        for where, value in _values(spec, path.split("."), "spec"):
            if field["type"] == "string":
                candidates = [(where, value)]
            elif field["type"] == "array" and not has_parts and isinstance(value, list):
                candidates = [(f"{where}[{number}]", each) for number, each in enumerate(value)]
            elif field["type"] == "object" and not has_parts and isinstance(value, dict):
                candidates = [(f"{where}.{name}", each) for name, each in value.items()]
            else:
                continue
            yield from ((place, each) for place, each in candidates if isinstance(each, (bool, int, float)))


def _values(value: Any, steps: list[str], where: str) -> Iterator[tuple[str, Any]]:
    """Yield each value at a path such as `pausedSymbols[].symbol`, with its place in the document."""
    if not steps:
        yield where, value
        return
    step = steps[0]
    name = step[:-2] if step.endswith("[]") else step
    if not isinstance(value, dict) or name not in value:
        return
    below = value[name]
    if not step.endswith("[]"):
        yield from _values(below, steps[1:], f"{where}.{name}")
        return
    for number, each in enumerate(below if isinstance(below, list) else []):
        yield from _values(each, steps[1:], f"{where}.{name}[{number}]")


def _clause(value: Any, source: str) -> str:
    words = contract()["yamlWords"]
    if not isinstance(value, bool):
        return f'YAML reads {value} as a number; write "{value}"'
    generic: str = words["true" if value else "false"]
    half = len(words["booleans"]) // 2
    candidates = words["booleans"][:half] if value else words["booleans"][half:]
    plain = _QUOTED_OR_COMMENT.sub(" ", source)
    # Symbols are in upper case. In lower case, true and false are the usual values of other fields.
    others = [each.lower() for each in candidates if each not in ("TRUE", "FALSE")]
    written = _words_in(plain, candidates) or _words_in(plain, others)
    return words["oneWord"].format(word=written[0]) if len(written) == 1 else generic


def _words_in(text: str, words: Sequence[str]) -> list[str]:
    return [each for each in words if re.search(rf"(?<![\w./-]){each}(?![\w./-])", text)]


def _value_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else printable(value)
