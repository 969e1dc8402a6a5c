"""Whether each job has acknowledged a pause, and how long that took."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from ..model.fields import child, instant, objects, text, texts
from ..model.job import key_of_job
from ..model.pauses import PauseObject, pause_of
from ..transport import NoAccessError, NotServedError, TransportError
from .cluster_requests import JOB
from .context import Context

POLL_SECONDS = 0.15
_STEPS = (
    ("socketClosedAt", "socket closed"),
    ("lastWriteAt", "pending quotes written"),
    ("acknowledgedAt", "acknowledged: no quote is written any more"),
)


class Acknowledgement(NamedTuple):
    """The answer of one job. `at` is None while it has not acknowledged, or if it has no pod."""

    namespace: str
    name: str
    is_acknowledged: bool
    at: datetime | None
    steps: tuple[tuple[str, datetime], ...]


class Wanted(NamedTuple):
    """What is waited for: a pause object, or the switch `source` of the jobs alone."""

    source: str
    scope: list[str]
    pause: PauseObject | None
    concerns: Callable[[dict[str, Any]], bool]


class Outcome(NamedTuple):
    """The answers of the jobs. `problem` says why they could not be read; `total` is the operator's count."""

    answers: tuple[Acknowledgement, ...]
    is_complete: bool
    problem: str = ""
    total: str = ""


def wait_for_acknowledgement(context: Context, wanted: Wanted, seconds: float) -> Outcome:
    """Wait until each job has acknowledged the pause, for `seconds` at most."""
    began_at = context.now()
    while True:
        outcome = _read_outcome(context, wanted)
        waited = (context.now() - began_at).total_seconds()
        if outcome.is_complete or waited >= seconds or (outcome.problem and waited >= seconds / 2):
            return outcome
        context.sleep(POLL_SECONDS)


def _read_outcome(context: Context, wanted: Wanted) -> Outcome:
    kinds = (JOB, wanted.pause.kind) if wanted.pause is not None else (JOB,)
    try:
        listing = context.kubectl.start_list(kinds, wanted.scope).listing()
    except NoAccessError:
        return _operators_outcome(context, wanted)
    except TransportError as error:
        return Outcome((), is_complete=False, problem=str(error))
    stored = _stored_pause(wanted, listing.objects)
    by_operator = stored is not None and stored.is_acknowledged
    jobs = [each for each in listing.objects[JOB] if wanted.concerns(each)]
    answers = tuple(_answer(each, wanted, is_confirmed=by_operator) for each in jobs)
    is_complete = by_operator or all(each.is_acknowledged for each in answers)
    return Outcome(answers, is_complete, total=stored.acknowledged if stored is not None else "")


def _operators_outcome(context: Context, wanted: Wanted) -> Outcome:
    """Return the answer of the operator, for a user who may not list jobs."""
    problem = "you may not list ingestjobs, so only the operator's count can be seen"
    if wanted.pause is None:
        return Outcome((), is_complete=False, problem=problem)
    try:
        listing = context.kubectl.start_list((wanted.pause.kind,), wanted.scope).listing()
    except (NoAccessError, NotServedError):
        return Outcome((), is_complete=False, problem="you may list neither ingestjobs nor pauses")
    except TransportError as error:
        return Outcome((), is_complete=False, problem=str(error))
    stored = _stored_pause(wanted, listing.objects)
    is_complete = stored is not None and stored.is_acknowledged
    return Outcome((), is_complete, problem, stored.acknowledged if stored is not None else "")


def _stored_pause(wanted: Wanted, found: dict[str, list[dict[str, Any]]]) -> PauseObject | None:
    if wanted.pause is None:
        return None
    pauses = map(pause_of, found.get(wanted.pause.kind, ()))
    return next((each for each in pauses if each.name == wanted.pause.name), None)


def _answer(job: dict[str, Any], wanted: Wanted, *, is_confirmed: bool) -> Acknowledgement:
    pause = child(job, "status", "stream", "pause")
    at = instant(pause, "acknowledgedAt")
    sources = {text(each, "source") for each in objects(pause, "sources")} | {text(pause, "source")}
    symbols = wanted.pause.symbols if wanted.pause is not None else ()
    if symbols:
        declared = set(key_of_job(job).symbols) & set(symbols)
        has_acknowledged = declared <= set(texts(job, "status", "stream", "symbols", "pausedSymbols"))
        at, pause = None, {}
    else:
        has_acknowledged = at is not None and wanted.source in sources
    moments = ((words, instant(pause, field)) for field, words in _STEPS)
    return Acknowledgement(
        namespace=text(job, "metadata", "namespace"),
        name=text(job, "metadata", "name"),
        is_acknowledged=has_acknowledged or is_confirmed,
        at=at if has_acknowledged else None,
        steps=tuple((words, moment) for words, moment in moments if moment is not None) if has_acknowledged else (),
    )
