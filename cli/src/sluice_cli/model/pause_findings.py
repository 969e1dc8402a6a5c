"""What `doctor` finds in pauses and policies: ends that have passed, ends that are missing, and bounds not enforced."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from ..text.instants import age_text, short_instant
from .fields import number, objects, text
from .findings import NOTE, WARNING, Finding
from .pauses import PauseObject

# A pause without an end that is older has perhaps been forgotten.
FORGOTTEN_SECONDS = 86_400.0


def pause_findings(pauses: Iterable[PauseObject], now: datetime) -> Iterator[Finding]:
    """Yield a finding for each pause that has ended and still exists, and for each old one without an end."""
    for each in pauses:
        about = f"{each.namespace}/{each.name}" if each.namespace else each.name
        if not each.is_in_force(now) and each.until is not None:
            message = f"{each.kind} ended {short_instant(each.until, now)} and has no effect any more"
            yield Finding(NOTE, "pause", about, message, "Delete it.", _end_command(each))
        elif each.until is None and _age_seconds(each, now) > FORGOTTEN_SECONDS:
            author = f" by {each.by}" if each.by else ""
            reason = f' ("{each.reason}")' if each.reason else ""
            message = f"{each.kind}{author} without an end holds for {age_text(each.created_at, now)}{reason}"
            remedy = "Ask its author whether it is still needed; if it is not, end it."
            yield Finding(WARNING, "pause", about, message, remedy, _end_command(each))


def policy_findings(policies: Iterable[dict[str, Any]]) -> Iterator[Finding]:
    """Yield a finding for each IngestPolicy that only warns, with the jobs that it would deny."""
    for each in policies:
        if text(each, "spec", "mode") != "Warn":
            continue
        name, denied = text(each, "metadata", "name"), number(each, "status", "deniedJobs") or 0
        first = next(iter(objects(each, "status", "denied")), {})
        jobs = "job" if denied == 1 else "jobs"
        example = f", such as {text(first, 'job')}: {text(first, 'message')}" if first else ""
        message = f"the IngestPolicy has the mode Warn, so it enforces nothing; it would deny {denied} {jobs}{example}"
        remedy = (
            f"Correct {'it' if denied == 1 else 'them'}, then set spec.mode to Enforce."
            if denied
            else "Set spec.mode to Enforce."
        )
        severity = WARNING if denied else NOTE
        yield Finding(severity, "policy", name, message, remedy, f"kubectl edit ingestpolicy {shlex.quote(name)}")


def _age_seconds(pause: PauseObject, now: datetime) -> float:
    return (now - pause.created_at).total_seconds() if pause.created_at is not None else 0.0


def _end_command(pause: PauseObject) -> str:
    where = f"-n {shlex.quote(pause.namespace)}" if pause.namespace else "--fleet"
    return f"kubectl sluice resume --pause {shlex.quote(pause.name)} {where}"
