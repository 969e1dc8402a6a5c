"""Which jobs a command line selects: by name, by label, all of a namespace, or of all namespaces."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..model.fields import child, text
from ..model.job import key_of_job
from ..model.pauses import JobKey
from ..model.selector import Requirement, parse_selector, selects
from .context import UsageError


class Selection(NamedTuple):
    """The jobs that a command line means. `namespace` is empty for that of the context."""

    namespace: str
    is_everywhere: bool
    names: tuple[str, ...]
    labels: frozenset[Requirement] | None
    is_all: bool = False

    @property
    def scope(self) -> list[str]:
        """The options of kubectl for these namespaces."""
        if self.is_everywhere:
            return ["-A"]
        return ["-n", self.namespace] if self.namespace else []

    def includes(self, job: JobKey) -> bool:
        """Return whether a job is one of those meant."""
        if self.names and job.name not in self.names:
            return False
        return self.labels is None or selects(self.labels, dict(job.labels))


def selection_of(options: argparse.Namespace, names: Sequence[str]) -> Selection:
    """Return the selection of a command line. A name may have its namespace before a slash.

    Raises:
        UsageError: the names are in several namespaces, or the labels are not a selector.
    """
    parts = [each.rpartition("/") for each in names]
    given = {namespace for namespace, _, _ in parts if namespace} | (
        {options.namespace} if options.namespace else set()
    )
    if len(given) > 1:
        raise UsageError(f"name jobs of one namespace only, not of {' and '.join(sorted(given))}")
    selector: str = getattr(options, "selector", "") or ""
    if selector and names:
        raise UsageError("name jobs or select them with -l, not both")
    try:
        labels = parse_selector(selector) if selector else None
    except ValueError as error:
        raise UsageError(str(error)) from error
    return Selection(
        namespace=next(iter(given), ""),
        is_everywhere=bool(getattr(options, "all_namespaces", False)) and not given,
        names=tuple(dict.fromkeys(name for _, _, name in parts)),
        labels=labels,
        is_all=bool(getattr(options, "all", False)),
    )


def selected_jobs(documents: Sequence[dict[str, Any]], selection: Selection) -> list[dict[str, Any]]:
    """Return the jobs that a selection means, by namespace and name."""
    is_limited = bool(selection.names) or selection.labels is not None
    found = [each for each in documents if not is_limited or selection.includes(key_of_job(each))]
    return sorted(found, key=lambda each: (text(each, "metadata", "namespace"), text(each, "metadata", "name")))


def unknown_names(documents: Sequence[dict[str, Any]], selection: Selection) -> list[str]:
    """Return a sentence about each name that no job has, with the name that is most similar."""
    known = sorted({text(child(each, "metadata"), "name") for each in documents})
    where = _place(documents, selection)
    sentences = []
    for name in selection.names:
        if name not in known:
            from difflib import get_close_matches  # noqa: PLC0415  only a mistake needs it

            similar = get_close_matches(name, known, 1)
            hint = f" Did you mean {similar[0]}?" if similar else ""
            sentences.append(missing_job_text(name, where) + hint)
    return sentences


def missing_job_text(name: str, where: str) -> str:
    """Return the sentence about a job that does not exist. `where` is a place such as `namespace acme`."""
    return f"Job {name} does not exist in {where}."


def _place(documents: Sequence[dict[str, Any]], selection: Selection) -> str:
    """Return the namespaces that were read. That of the context is known by its jobs."""
    if selection.is_everywhere:
        return "any namespace"
    namespace = selection.namespace or next((text(each, "metadata", "namespace") for each in documents), "")
    return f"namespace {namespace}" if namespace else "the namespace of the context"
