"""Decoding of the spec of a stored pause that this version may understand only in part.

A pause is in force for every job that it could concern: a field that is not understood never makes it smaller.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec

from .base import CamelStruct
from .decoding_errors import problem_sentence
from .label_selector import LabelSelector
from .lenient import UNREADABLE
from .pauses import ClusterIngestPauseSpec, IngestPauseSpec

S = TypeVar("S", IngestPauseSpec, ClusterIngestPauseSpec)

_NO_REASON: Final = "no reason given"


class PauseReadResult(CamelStruct, frozen=True):
    """The spec of an IngestPause. `problem` is a sentence about a field that is not understood; empty if there is none.

    In `spec`, such a field is absent: it then pauses every job, the whole job, or without an end.
    """

    spec: IngestPauseSpec
    problem: str = ""


class ClusterPauseReadResult(CamelStruct, frozen=True):
    """The spec of a ClusterIngestPause, and the problem with it, as in `PauseReadResult`."""

    spec: ClusterIngestPauseSpec
    problem: str = ""


def read_pause_spec(raw: Any) -> PauseReadResult:
    """Convert the `spec` of an IngestPause document to a struct. Never raises."""
    spec, problems = _read_fields(raw, IngestPauseSpec)
    if spec.job_selector is not None and _lacks_values(spec.job_selector):
        problems["jobSelector"] = "spec.jobSelector is not understood: the operators In and NotIn need values"
    if problems.keys() & {"jobs", "jobSelector"}:
        spec = msgspec.structs.replace(spec, jobs=None, job_selector=None)
    elif spec.jobs is None and spec.job_selector is None:
        problems["jobs"] = "spec names no job: add spec.jobs or spec.jobSelector"
    return PauseReadResult(spec=spec, problem=_first(problems))


def read_cluster_pause_spec(raw: Any) -> ClusterPauseReadResult:
    """Convert the `spec` of a ClusterIngestPause document to a struct. Never raises."""
    spec, problems = _read_fields(raw, ClusterIngestPauseSpec)
    return ClusterPauseReadResult(spec=spec, problem=_first(problems))


def _read_fields(raw: Any, kind: type[S]) -> tuple[S, dict[str, str]]:
    """Return a spec of the fields that are understood, and for each other field, by its name, a sentence."""
    try:
        return msgspec.convert(raw, kind), {}
    except UNREADABLE:
        if not isinstance(raw, dict):
            return kind(reason=_NO_REASON), {"": "spec is not understood: it is not an object"}
    values: dict[str, Any] = {"reason": _NO_REASON}
    problems = {}
    for field in msgspec.structs.fields(kind):
        value = raw.get(field.encode_name)
        if value is None:
            continue
        try:
            values[field.name] = msgspec.convert(value, field.type)
        except UNREADABLE as error:
            problems[field.encode_name] = problem_sentence(f"spec.{field.encode_name}", error)
    return kind(**values), problems


def _lacks_values(selector: LabelSelector) -> bool:
    """Return whether a requirement selects nothing because it has no values, which the schema refuses."""
    return any(each.operator in ("In", "NotIn") and not each.values for each in selector.match_expressions)


def _first(problems: dict[str, str]) -> str:
    return next(iter(problems.values()), "")
