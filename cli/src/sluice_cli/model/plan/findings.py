"""What a plan finds about a document, from a problem to a note."""

from __future__ import annotations

from typing import NamedTuple

# A problem: the document would be refused, or the job would be stalled. A warning: it would do something else than
# the document says. A note: something to know.
FINDING_LEVELS = ("problem", "warning", "note")


class Finding(NamedTuple):
    """One finding: its level, what it is about in a word, a sentence, and what to do (may be empty)."""

    level: str
    topic: str
    message: str
    remedy: str = ""
