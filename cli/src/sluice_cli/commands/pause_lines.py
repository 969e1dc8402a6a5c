"""What `kubectl sluice pause` says: what it pauses, the steps of each job, and how to end the pause."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ..contract import resource
from ..model.pauses import CLUSTER_PAUSE, PauseObject
from ..text.instants import age_text, instant_text, short_instant
from ..views.documents import document, formatted
from .acknowledgement import Acknowledgement, Outcome, Wanted
from .pause_request import PauseRequest

_SHOWN_JOBS = 20
_CLOCK_SECONDS = 5.0


def head_line(request: PauseRequest, wanted: Wanted, now: datetime) -> str:
    """Return what is being paused, until when, and why."""
    symbols = f", symbols {', '.join(request.symbols)}" if request.symbols else ""
    end = f"until {short_instant(request.until, now)}" if request.until else "without an end"
    return f'{_what(request, wanted)}{symbols}: pausing {end} ("{request.reason}")'


def _what(request: PauseRequest, wanted: Wanted) -> str:
    if request.is_fleet:
        named = (f"{name}:{'/'.join(feeds)}" if feeds else name for name, feeds in request.providers)
        return ", ".join(named) or "every job in every namespace"
    namespace = wanted.scope[-1]
    if request.selection.names:
        return ", ".join(f"{namespace}/{name}" for name in request.selection.names)
    return f"{'every job' if request.selection.is_all else 'the selected jobs'} of {namespace}"


def clock_sentence(pause: PauseObject | None, now: datetime) -> str:
    """Return a sentence if this machine's clock, by which --for is computed, differs from the API server's."""
    if pause is None or pause.until is None or pause.created_at is None:
        return ""
    ahead = (now - pause.created_at).total_seconds()
    if abs(ahead) <= _CLOCK_SECONDS:
        return ""
    direction = "ahead of" if ahead > 0 else "behind"
    return (
        f"This machine's clock is {abs(ahead):.0f} s {direction} the API server's: the pause ends at "
        f"{instant_text(pause.until)} by the clocks of the nodes."
    )


def outcome_lines(
    outcome: Outcome, request: PauseRequest, wanted: Wanted, times: tuple[datetime, datetime]
) -> list[str]:
    """Return the steps of each job. `times` are when the pause was requested, and now."""
    acknowledged = [each for each in outcome.answers if each.is_acknowledged]
    is_single = len(outcome.answers) == 1
    lines = []
    for each in acknowledged[:_SHOWN_JOBS]:
        steps = _steps(each, request, times)
        lines.append(f"  {steps}" if is_single else f"  {each.namespace}/{each.name}: {steps}")
    if len(acknowledged) > _SHOWN_JOBS:
        lines.append(f"  and {len(acknowledged) - _SHOWN_JOBS} more")
    if not is_single:
        count = f"{len(acknowledged)}/{len(outcome.answers)}" if outcome.answers else outcome.total or "unknown"
        lines.append(f"  acknowledged: {count} after {(times[1] - times[0]).total_seconds():.1f} s")
    lines += [f"  {outcome.problem}"] if outcome.problem else []
    return lines if outcome.is_complete else [*lines, *_open_lines(outcome, wanted)]


def _open_lines(outcome: Outcome, wanted: Wanted) -> Iterator[str]:
    names = [f"{each.namespace}/{each.name}" for each in outcome.answers if not each.is_acknowledged]
    shown = ", ".join(names[:_SHOWN_JOBS]) + (
        f" and {len(names) - _SHOWN_JOBS} more" if len(names) > _SHOWN_JOBS else ""
    )
    yield f"✗ not acknowledged: {shown or 'the jobs'} may still be connected."
    yield "  The operator deletes a pod that does not confirm within 14 s. Look again:"
    yield f"  kubectl sluice status --paused {' '.join(wanted.scope)}"


def _steps(answer: Acknowledgement, request: PauseRequest, times: tuple[datetime, datetime]) -> str:
    """Return the steps: seconds after the request, or times of day if the clocks of the machines differ."""
    began_at, now = times
    if request.symbols:
        return "acknowledged: no quote of these symbols is written any more"
    if answer.at is None:
        return "no pod runs, so nothing is connected"
    if (began_at - answer.at).total_seconds() > 1:
        return f"was paused before, {age_text(answer.at, now)} ago; this pause holds too"
    offsets = [(moment - began_at).total_seconds() for _, moment in answer.steps]
    if all(0 <= each <= (now - began_at).total_seconds() for each in offsets):
        return "   ".join(f"{offset:.2f} s {words}" for (words, _), offset in zip(answer.steps, offsets))
    return "   ".join(f"{moment:%H:%M:%S.%f}"[:-3] + f"Z {words}" for words, moment in answer.steps)


def end_line(request: PauseRequest, wanted: Wanted) -> str:
    """Return how long the pause holds, and the command that ends it."""
    scope = " ".join(wanted.scope)
    if wanted.pause is None:
        return f"  a GitOps tool that owns the job can undo this; see: kubectl sluice status --paused {scope}"
    named = f"--pause {wanted.pause.name}"
    if wanted.pause.kind == CLUSTER_PAUSE:
        command = f"kubectl sluice resume --fleet {named}"
    elif request.selection.names and not request.symbols:
        command = f"kubectl sluice resume {' '.join(request.selection.names)} {scope}"
    else:
        command = f"kubectl sluice resume {named} {scope}"
    return f"  {wanted.source.replace(':', '/')} holds whatever reconciles the job; end it: {command}"


def formatted_result(output: str, request: PauseRequest, wanted: Wanted, outcome: Outcome) -> list[str]:
    """Return the result as the name of the object, as JSON, or as YAML."""
    pause = wanted.pause
    if output == "name":
        return [] if pause is None else [f"{resource(pause.kind).replace('pauses.', 'pause.')}/{pause.name}"]
    names = {"kind": pause.kind, "namespace": pause.namespace, "name": pause.name} if pause is not None else None
    content: dict[str, Any] = {
        "pause": names,
        "source": wanted.source,
        "symbols": request.symbols,
        "reason": request.reason,
        "by": pause.by if pause is not None else "",
        "until": request.until,
        "acknowledged": outcome.is_complete,
        "jobs": outcome.answers,
        "problem": outcome.problem,
    }
    found = document("PauseResult", content)
    return [formatted(output, found)]
