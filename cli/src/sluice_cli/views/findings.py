"""The findings of `doctor` as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..model.findings import NOTE, PROBLEM, WARNING, DoctorReport, Finding
from ..model.fleet import Unseen
from ..text.layout import indented
from ..text.terminal import Terminal

_CHECKED, _UNSEEN = "Checked: ", "Not visible: "
_SIGNS = {PROBLEM: ("✗", "red"), WARNING: ("▲", "yellow"), NOTE: ("◌", "blue")}


def report_lines(report: DoctorReport, terminal: Terminal) -> list[str]:
    """Return each finding with what to do, what could not be seen, and the counts."""
    lines = [line for each in report.findings for line in _finding_lines(each, terminal)]
    lines += unseen_lines(report.unseen, terminal.width)
    if report.checked:
        lines += indented(f"{', '.join(report.checked)}.", terminal.width, " " * len(_CHECKED), _CHECKED)
    return [*lines, _summary(report)]


def unseen_lines(unseen: Sequence[Unseen], width: int) -> list[str]:
    """Return what could not be seen, and why."""
    texts = (f"{each.what} ({each.why})" for each in unseen)
    return [line for text in texts for line in indented(text, width, " " * len(_UNSEEN), _UNSEEN)]


def _finding_lines(finding: Finding, terminal: Terminal) -> Iterator[str]:
    sign, color = _SIGNS[finding.severity]
    head = f"{sign} {finding.severity}  {finding.about}"
    yield terminal.paint(f"{sign} {finding.severity}", color) + head[len(f"{sign} {finding.severity}") :]
    yield from indented(finding.message, terminal.width, "  ")
    if finding.remedy:
        yield from indented(finding.remedy, terminal.width, "    ", "  → ")
    if finding.command:
        yield f"  → {finding.command}"  # on one line, so that it can be copied


def _summary(report: DoctorReport) -> str:
    if not report.findings:
        return "Nothing needs a look."
    parts = (f"{count} {name if count == 1 else f'{name}s'}" for name, count in report.counts.items())
    return f"{', '.join(parts)}."
