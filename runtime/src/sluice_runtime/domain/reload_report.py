"""What a reload has read, and what it has caused."""

from __future__ import annotations

import msgspec

from .desired import Desired, is_unread


class FileReading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one file contained when a reload read it.

    `content` is a clause such as "off" or "unchanged". `problem` is a sentence if the file cannot be used; its last
    state then stays in force.
    """

    file: str
    content: str
    problem: str | None = None


class ReloadReport(msgspec.Struct, frozen=True, kw_only=True):
    """The files that a reload has read, in this order, and a clause about the resulting state of the job."""

    files: tuple[FileReading, ...]
    effect: str

    @property
    def problems(self) -> tuple[str, ...]:
        """The problems of all files."""
        return tuple(each.problem for each in self.files if each.problem is not None)

    @property
    def message(self) -> str:
        """A sentence with the content of each file and the effect."""
        contents = ", ".join(f"{each.file} ({each.content})" for each in self.files) or "no file"
        return f"reloaded {contents}: {self.effect}"


def effect_of_reload(before: Desired, after: Desired) -> str:
    """Return a clause that says what changed between the desired states `before` and `after` a reload."""
    sources = " and ".join(after.switches)
    if is_unread(after.pause):
        return "the job has not been read yet; the runtime reads the same files before it streams"
    if after.pause is None:
        what = "the job is resumed" if before.pause is not None else "the stream continues"
        changes = " with the changes of the job" if after.generation != before.generation else ""
        return f"{what}{changes}, and all documents are written once"
    if before.pause is None:
        return f"the job is paused by {sources}"
    if after.switches == before.switches:
        return f"the job stays paused by {sources}"
    return f"the job is still paused, now by {sources}"
