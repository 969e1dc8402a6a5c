"""What the message of the Streaming condition says about a stream that is live, but needs attention."""

from __future__ import annotations

from sluice_contract.remedies import CLOCK_SKEW_REPORTED_MILLISECONDS, clock_skew_sentence
from sluice_contract.status import StreamStatus


def warnings_about_data(report: StreamStatus) -> tuple[str, ...]:
    """Return a sentence for each thing that is wrong, with what to do about it; an empty tuple if nothing is wrong."""
    found = (_symbols_that_never_ticked(report), _wrong_clock(report), report.pause_check_problem)
    return tuple(sentence for sentence in found if sentence)


def _symbols_that_never_ticked(report: StreamStatus) -> str:
    count, names = report.symbols.never_ticked, ", ".join(report.symbols.never_ticked_symbols)
    if not count:
        return ""
    subject = "1 symbol has" if count == 1 else f"{count} symbols have"
    others = ", and others" if count > len(report.symbols.never_ticked_symbols) else ""
    return (
        f"{subject} never ticked: {names}{others}. Check that the provider's feed has "
        f"{'it' if count == 1 else 'them'} under {'this name' if count == 1 else 'these names'}; otherwise correct "
        f"spec.symbols."
    )


def _wrong_clock(report: StreamStatus) -> str:
    skew = report.clock_skew_milliseconds or 0
    return clock_skew_sentence(skew) if abs(skew) > CLOCK_SKEW_REPORTED_MILLISECONDS else ""
