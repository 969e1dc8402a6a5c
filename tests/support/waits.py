"""Prints the deadlines of a test run of which the largest part was needed: `python -m support.waits FILE [COUNT]`."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

# On an idle machine no wait needs a larger part of its deadline.
LARGEST_PART = 1 / 3


@dataclass(frozen=True)
class Wait:
    """One deadline that was met: `waited` of `allowed` seconds."""

    test: str
    what: str
    waited: float
    allowed: float

    @property
    def part(self) -> float:
        """The part of the deadline that was needed; 1 is all of it."""
        return self.waited / self.allowed if self.allowed else 0.0


def read_waits(path: Path) -> list[Wait]:
    """Read the waits of a run, the largest part first; of the waits that a test repeats, only the worst."""
    worst: dict[tuple[str, str, float], Wait] = {}
    for line in path.read_text().splitlines():
        wait = Wait(**json.loads(line))
        key = (wait.test, wait.what, wait.allowed)
        worst[key] = max(worst.get(key, wait), wait, key=lambda each: each.part)
    return sorted(worst.values(), key=lambda each: -each.part)


def render(waits: list[Wait], count: int) -> str:
    """Return a table of the first `count` waits, and how many exceed a third of their deadline."""
    lines = [
        f"{each.part:6.2f} {each.waited:8.2f} of {each.allowed:6.1f} s  {each.what}  {each.test}" for each in waits
    ]
    above = sum(each.part > LARGEST_PART for each in waits)
    return "\n".join([*lines[:count], f"{above} of {len(waits)} waits needed more than a third of their deadline"])


if __name__ == "__main__":
    print(render(read_waits(Path(sys.argv[1])), int(sys.argv[2]) if len(sys.argv) > 2 else 10))  # noqa: T201
