"""The short texts about a job that the table and the tree share."""

from __future__ import annotations

import shlex
from datetime import datetime

from ..contract import contract
from ..model.job import JobStatus, Pause, Symbols
from ..model.sink import Sink
from ..model.state import PROBLEMS
from ..text.instants import age_text, duration_text


def state_text(job: JobStatus, now: datetime) -> str:
    """Return the state in words, such as `Paused 22m, resumes in 21m` or `Degraded BackingOff`."""
    state = job.state
    if state.level != "paused":
        return f"{state.word} {state.reason}".strip()
    since = age_text(state.since, now)
    if job.pause is None or not job.pause.switches:  # its switches have just ended, or are not known
        return f"{state.word} {since}".strip()
    until = job.pause.until
    end = f", resumes in {duration_text((until - now).total_seconds())}" if until else ", no end"
    return f"{state.word} {since}".strip() + end


def detail_text(job: JobStatus, now: datetime) -> str:
    """Return what matters most about the job: why it does not stream, or how its symbols are."""
    if job.state.level == "paused":
        text = pause_text(job.pause, now) or job.state.message
    elif job.state.level in ("running", "finished"):
        text = freshness_text(job.symbols) or job.state.message
    elif job.state.level == "warning":
        counts = freshness_text(job.symbols)
        said = "" if job.state.message.endswith((" stale", " rejected")) else job.state.message
        text = " · ".join(each for each in (counts, rejection_text(job.symbols), said) if each)
    else:
        text = job.state.message
    return f"dry run · {text}" if job.is_dry_run else text


def pause_text(pause: Pause | None, now: datetime) -> str:
    """Return who paused and why, by the first switch, and how many other switches hold."""
    if pause is None or not pause.switches:
        return ""
    first, *others = pause.switches
    if first.by or first.reason:
        who = f'{first.by}: "{first.reason}"' if first.by and first.reason else first.by or f'"{first.reason}"'
    else:
        who = first.source
    return who + (f" · also {', '.join(each.source for each in others)}" if others else "")


def freshness_text(symbols: Symbols) -> str:
    """Return the number of symbols in each state, such as `27 live · 2 quiet · 1 stale`."""
    return " · ".join(f"{count} {name}" for name, count in symbols.freshness.items())


def rejection_text(symbols: Symbols) -> str:
    """Return how many symbols are rejected, with the first one; empty if there is none."""
    if not symbols.rejected_count:
        return ""
    first = next(iter(symbols.rejected), None)
    code = f" {first.code}" if first is not None and first.code else ""
    return f"{symbols.rejected_count} rejected" + (f': {first.symbol}{code} "{first.message}"' if first else "")


def rate_text(sink: Sink) -> str:
    """Return the quotes written per second, and their limit; empty if neither is known."""
    limit = sink.writes_per_second
    if sink.rate is None:
        return f"at most {limit} writes/s" if limit else ""
    return f"{sink.rate:.1f} writes/s" + (f" of {limit}" if limit else "")


def named_symbols(names: tuple[str, ...], count: int) -> str:
    """Return names with the number of those that are not listed."""
    rest = count - len(names)
    return ", ".join(names) + (f" and {rest} more" if rest > 0 else "")


def command_for(job: JobStatus, command: str, *options: str) -> str:
    """Return a command line of the plugin about the job."""
    return " ".join(["kubectl sluice", command, shlex.quote(job.name), "-n", shlex.quote(job.namespace), *options])


def next_command(job: JobStatus) -> str:
    """Return what to type next about a job."""
    if job.state.level == "paused" or job.pause is not None:
        return command_for(job, "resume")
    if job.state.level not in PROBLEMS:
        return command_for(job, "pause", "--for 30m", '--reason "vendor incident"')
    namespace = shlex.quote(job.namespace)
    if job.pod_name and job.heartbeat_at is not None:
        return f"kubectl logs {shlex.quote(job.pod_name)} -n {namespace} -c {contract()['container']} --tail=20"
    return f"kubectl describe ij {shlex.quote(job.name)} -n {namespace}"
