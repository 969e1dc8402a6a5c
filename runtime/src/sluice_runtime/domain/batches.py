"""Splitting items into batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batches(items: Iterable[T], max_size: int) -> Iterator[list[T]]:
    """Yield the items in order, in non-empty lists of at most `max_size` items."""
    iterator = iter(items)
    while batch := list(islice(iterator, max_size)):
        yield batch
