"""Splitting items into batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batches(items: Iterable[T], most: int) -> Iterator[list[T]]:
    """Yield the items in order, in non-empty lists of at most `most`."""
    left = iter(items)
    while some := list(islice(left, most)):
        yield some
