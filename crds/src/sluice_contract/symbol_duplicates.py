"""Symbols that a list contains more than once. Each is used once and reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

_NAMES_SHOWN: Final = 10


def duplicate_symbols(symbols: Sequence[str]) -> tuple[str, ...]:
    """Return the symbols that the list contains more than once, in the order of their first place."""
    if len(set(symbols)) == len(symbols):
        return ()
    return tuple(symbol for symbol, count in Counter(symbols).items() if count > 1)


def duplicates_sentence(names: Sequence[str]) -> str:
    """Return a sentence about these symbols of `spec.symbols`, and what to do about them."""
    others = f" and {len(names) - _NAMES_SHOWN} others" if len(names) > _NAMES_SHOWN else ""
    subject = "it" if len(names) == 1 else "each of them"
    return (
        f"spec.symbols contains {', '.join(names[:_NAMES_SHOWN])}{others} more than once; {subject} is used once. "
        "Remove the duplicates from spec.symbols."
    )
