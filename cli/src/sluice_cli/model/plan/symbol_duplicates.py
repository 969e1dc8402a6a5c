"""Symbols that a document lists more than once."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ..fields import child, texts
from .findings import Finding

_NAMES_SHOWN = 10
_REMEDY = "Remove the duplicates from spec.symbols."


def unique_symbols(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the spec with each symbol once, as the operator and the pod use it."""
    symbols = texts(spec, "symbols")
    return {**spec, "symbols": list(dict.fromkeys(symbols))} if len(set(symbols)) < len(symbols) else spec


def duplicate_findings(document: dict[str, Any]) -> list[Finding]:
    """Return a warning if the document lists symbols more than once."""
    counts = Counter(texts(child(document, "spec"), "symbols"))
    names = [symbol for symbol, count in counts.items() if count > 1]
    if not names:
        return []
    others = f" and {len(names) - _NAMES_SHOWN} others" if len(names) > _NAMES_SHOWN else ""
    subject = "it" if len(names) == 1 else "each of them"
    listed = f"spec.symbols contains {', '.join(names[:_NAMES_SHOWN])}{others} more than once"
    return [Finding("warning", "symbols", f"{listed}; {subject} is used once.", _REMEDY)]
