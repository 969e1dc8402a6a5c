"""Many, a few at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batches(items: Iterable[T], most: int) -> Iterator[list[T]]:
    """The items in order, in lists of at most `most`; none of them is empty."""
    left = iter(items)
    while some := list(islice(left, most)):
        yield some
