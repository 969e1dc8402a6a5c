"""Facts about the pause objects that cover a job: which are in force, and which the pod has acknowledged."""

from __future__ import annotations

from sluice_contract.bounds import cut_to_characters
from sluice_contract.identity import UNREADABLE_SOURCE
from sluice_contract.pause_sentences import pause_clause
from sluice_contract.pause_sources import SPEC_ENABLED_SOURCE, SPEC_PAUSE_SOURCE, position_of_source
from sluice_contract.pause_status import MAX_SOURCES, PauseSource, StreamPause
from sluice_contract.status import StreamStatus
from sluice_contract.values import REASON_CHARACTERS

from . import facts
from .objects import Job
from .observation import Observation
from .pause_objects import PauseKey, PauseObject

_NAMES_REPORTED = 20  # of the paused symbols in a pod's report


def whole_job_pauses(o: Observation) -> list[PauseObject]:
    """Return the pause objects that pause the whole job now, in the order of authority."""
    return [each for each in o.pauses if each.pauses_whole_jobs and each.is_in_force(o.now)]


def symbol_pauses(o: Observation) -> list[PauseObject]:
    """Return the pause objects that pause single symbols of the job now."""
    return [
        each
        for each in o.pauses
        if not each.pauses_whole_jobs and each.is_in_force(o.now) and paused_symbols_of_job(o.job, each)
    ]


def paused_symbols_of_job(job: Job | None, pause: PauseObject) -> frozenset[str]:
    """Return the symbols of the job that a pause of single symbols pauses; all of them if the spec is not understood.

    The pod may stream any symbol then.
    """
    symbols = pause.symbols or frozenset()
    return symbols if job is None or job.spec is None else symbols.intersection(job.spec.symbols)


def acknowledgements(o: Observation) -> dict[PauseKey, bool | None]:
    """Return for each pause object in force whether the job has acknowledged it; None if it pauses no symbol of it.

    If nothing is connected, every pause counts as acknowledged.
    """
    found: dict[PauseKey, bool | None] = {}
    for pause in o.pauses:
        if not pause.is_in_force(o.now):
            continue
        if not pause.pauses_whole_jobs and not paused_symbols_of_job(o.job, pause):
            found[pause.key] = None
        else:
            found[pause.key] = pause_is_acknowledged_by_pod(o, pause)
    return found


def pause_is_acknowledged_by_pod(o: Observation, pause: PauseObject) -> bool:
    """Return whether the pod has closed what the pause names, and knows of the pause; or whether nothing is connected.

    A paused pod streams no symbol, so it has also acknowledged each pause of a symbol.
    """
    if facts.nothing_can_be_connected(o):
        return True
    report = o.report_of_current_pod
    if report is None:
        return False
    if pause.pauses_whole_jobs:
        return report.pause is not None and stream_is_closed(report) and _names_pause(report.pause, pause)
    return stream_is_closed(report) or _pauses_symbols(o, report, paused_symbols_of_job(o.job, pause))


def stream_is_closed(report: StreamStatus) -> bool:
    """Return whether the pod has acknowledged a pause of the whole job, by whatever switch."""
    return report.pause is not None and report.pause.acknowledged_at is not None


def requested_sources(o: Observation) -> list[PauseSource]:
    """Return the switches known to the operator that pause the whole job now, in the order of authority.

    The pod may know others, such as those of its control interface.
    """
    if (job := o.job) is None:
        return []
    stops = job.stops
    found = [_source_of_pause(each) for each in whole_job_pauses(o)]
    if stops.problem:
        reason = cut_to_characters(stops.problem, REASON_CHARACTERS)
        found.append(PauseSource(source=UNREADABLE_SOURCE, reason=reason))
    if not stops.enabled:
        found.append(PauseSource(source=SPEC_ENABLED_SOURCE))
    if stops.pause is not None and (stops.pause.until is None or stops.pause.until > o.now):
        given = stops.pause.reason or None
        found.append(PauseSource(source=SPEC_PAUSE_SOURCE, reason=given, until=stops.pause.until))
    return sorted(found, key=lambda each: position_of_source(each.source))


def paused_without_pod_message(o: Observation) -> str:
    """Return the message of conditions Paused and Ready while a pause is requested and nothing is connected."""
    return f"Paused by {pause_clause(requested_sources(o), o.now)}. No pod runs, so nothing is connected."


def _source_of_pause(pause: PauseObject) -> PauseSource:
    """Return the pause as a switch, with the words of the pod's report."""
    if not pause.problem:
        return PauseSource(source=pause.source, reason=pause.spec.reason, by=pause.spec.by, until=pause.spec.until)
    reason = cut_to_characters(f"{_unreadable_prefix(pause)}{pause.problem}", REASON_CHARACTERS)
    return PauseSource(source=UNREADABLE_SOURCE, reason=reason, until=pause.spec.until)


def _names_pause(reported: StreamPause, pause: PauseObject) -> bool:
    """Return whether the pod's report names the pause, or has no place for a further source.

    A pod that does not understand a pause reports the source `unreadable`, and names the pause in the reason.
    """
    prefix = _unreadable_prefix(pause)
    if len(reported.sources) >= MAX_SOURCES:
        return True
    names = {reported.source, *(each.source for each in reported.sources)}
    reasons = [each.reason or "" for each in reported.sources if each.source == UNREADABLE_SOURCE]
    return pause.source in names or any(each.startswith(prefix) for each in reasons)


def _unreadable_prefix(pause: PauseObject) -> str:
    return f"{pause.kind} {pause.metadata.name}: "


def _pauses_symbols(o: Observation, report: StreamStatus, symbols: frozenset[str]) -> bool:
    """Return whether the pod pauses all these symbols. It reports the first 20 names, and how many there are."""
    names = report.symbols.paused_symbols
    if len(names) < _NAMES_REPORTED or symbols.issubset(names):
        return symbols.issubset(names)
    return o.job is not None and report.symbols.paused >= len(_all_paused_symbols(o, o.job))


def _all_paused_symbols(o: Observation, job: Job) -> frozenset[str]:
    """Return the declared symbols that the spec and the pause objects pause now."""
    by_objects = (paused_symbols_of_job(job, each) for each in symbol_pauses(o))
    declared = job.spec.symbols if job.spec is not None else ()
    return job.stops.paused_symbols.symbols_in_force(o.now).intersection(declared).union(*by_objects)
