"""The commands that README.md tells readers to type."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).parent.parent.parent / "README.md"


def commands(heading: str) -> str:
    """Return the first block of shell commands below a heading of the second level.

    Raises:
        AssertionError: README.md has no such heading, or no commands below it.
    """
    return command_blocks(heading)[0]


def command_blocks(heading: str) -> list[str]:
    """Return all blocks of shell commands below a heading of the second level, in order.

    Raises:
        AssertionError: README.md has no such heading, or no commands below it.
    """
    sections = re.split(r"^## ", README.read_text(), flags=re.MULTILINE)
    for section in sections:
        if section.splitlines()[0] == heading:
            found = re.findall(r"^```sh\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL)
            assert found, f"README.md has no commands below {heading!r}"
            return found
    raise AssertionError(f"README.md has no heading {heading!r}")
