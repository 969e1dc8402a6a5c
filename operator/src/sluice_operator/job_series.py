"""The series of each job in Prometheus' text format. They outlive the pod, so an alert notices that it vanished.

The text of a job is one `str.join`: its labels, between the parts of a text that is the same for many jobs.
prometheus_client makes an object of each sample, which takes many times as long (docs/adr/0039-cheap-measurements.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final

from sluice_contract import conditions
from sluice_contract.status import Condition

from .domain.objects import Job
from .domain.observation import Observation
from .domain.pause_ends import pause_end
from .informer_cache import ClusterState

_NAME: Final = "sluice_ingestjob"
_PART_JOBS: Final = 200  # the event loop does other work between two parts of the text
_STATUSES: Final = ("True", "False")
_UNKNOWN: Final = "Unknown"

_INFO: Final = (
    f"{_NAME}_info",
    "1 for each IngestJob, with its tenant, its provider, and the ID of its heartbeat document.",
)
_CONDITION: Final = (
    f"{_NAME}_status_condition",
    "1 for the status of each condition, 0 for the other. A condition that the job does not have is 0 in both. Unknown "
    "is present only while it is the status.",
)
_REASON: Final = (f"{_NAME}_ready_reason", "1 for the reason of condition Ready.")
_PAUSED_SINCE: Final = (
    f"{_NAME}_paused_since_timestamp_seconds",
    "Time since which the job is paused and nothing is connected; absent while it is not.",
)
_PAUSE_UNTIL: Final = (
    f"{_NAME}_pause_until_timestamp_seconds",
    "Time at which the pause ends by itself; absent without a pause, and while one of its switches has no end.",
)
_EPOCH: Final = (
    f"{_NAME}_epoch",
    "The epoch of the job's current pod: it is raised before each pod is created. Absent before the first one.",
)
_HEARTBEAT: Final = (
    f"{_NAME}_heartbeat_timestamp_seconds",
    "Time of the last report of the job's pod, by the clock of its node; absent before the first one.",
)


class JobSeries:
    """Writes the series of all jobs."""

    def __init__(self, jobs: Callable[[], Sequence[Job]], pause_end_of_job: Callable[[Job], datetime | None]) -> None:
        """`jobs` returns all jobs; none on a replica that does not lead, or each series would be there twice.

        `pause_end_of_job` returns when the pause of a job ends by itself. It is called for jobs with a pause only.
        """
        self._jobs = jobs
        self._pause_end_of_job = pause_end_of_job

    def text_parts(self) -> Iterator[bytes]:
        """Yield the text in parts. All describe the jobs of one instant."""
        jobs = [(_labels(each), each) for each in self._jobs()]
        for (name, description), lines in (
            (_INFO, _info_lines),
            (_CONDITION, _condition_lines),
            (_REASON, _reason_lines),
            (_PAUSED_SINCE, _paused_since_lines),
            (_PAUSE_UNTIL, self._pause_until_lines),
            (_EPOCH, _epoch_lines),
            (_HEARTBEAT, _heartbeat_lines),
        ):
            yield f"# HELP {name} {description}\n# TYPE {name} gauge\n".encode()
            for start in range(0, len(jobs), _PART_JOBS):
                yield "".join([lines(*each) for each in jobs[start : start + _PART_JOBS]]).encode()

    def _pause_until_lines(self, labels: str, job: Job) -> str:
        until = self._pause_end_of_job(job) if _condition(job, conditions.PAUSED) is not None else None
        return f"{_PAUSE_UNTIL[0]}{{{labels}}} {until.timestamp()}\n" if until is not None else ""


def known_pause_end(store: ClusterState, job: Job, now: datetime) -> datetime | None:
    """Return when the pause of the job ends by itself, by all that the operator knows of it."""
    pod, pauses = store.pods.get(job.key), store.pauses.pauses_of_job(job.key)
    return pause_end(Observation(now=now, job=job, pod=pod, pauses=pauses))


def _labels(job: Job) -> str:
    namespace, name = job.key
    return f'namespace="{_escaped(namespace)}",name="{_escaped(name)}"'


def _info_lines(labels: str, job: Job) -> str:
    spec = job.spec
    values = (spec.tenant, spec.provider, spec.heartbeat.document) if spec is not None else ("", "", "")
    tenant, provider, document = map(_escaped, values)
    return f'{_INFO[0]}{{{labels},tenant="{tenant}",provider="{provider}",document="{document}"}} 1\n'


def _condition_lines(labels: str, job: Job) -> str:
    statuses = {each.type: each.status for each in job.status.conditions}
    return labels.join(_text_between_labels(tuple(statuses.get(each, "") for each in conditions.ORDER)))


@lru_cache(maxsize=1024)
def _text_between_labels(statuses: tuple[str, ...]) -> list[str]:
    """Return the text before, between and after the labels, for conditions with these statuses, in the order of ORDER.

    A status that is neither True nor False counts as Unknown; an empty one is that of an absent condition.
    """
    begin, ends = f"{_CONDITION[0]}{{", []
    for kind, status in zip(conditions.ORDER, statuses, strict=True):
        ends += [f',type="{kind}",status="{each}"}} {int(each == status)}\n' for each in _STATUSES]
        if status and status not in _STATUSES:
            ends.append(f',type="{kind}",status="{_UNKNOWN}"}} 1\n')
    return [begin, *(end + begin for end in ends[:-1]), ends[-1]]


def _reason_lines(labels: str, job: Job) -> str:
    ready = _condition(job, conditions.READY)
    return f'{_REASON[0]}{{{labels},reason="{_escaped(ready.reason)}"}} 1\n' if ready is not None else ""


def _paused_since_lines(labels: str, job: Job) -> str:
    paused = _condition(job, conditions.PAUSED)
    if paused is None or paused.status != "True":
        return ""
    return f"{_PAUSED_SINCE[0]}{{{labels}}} {paused.last_transition_time.timestamp()}\n"


def _epoch_lines(labels: str, job: Job) -> str:
    epoch = job.status.epoch
    return f"{_EPOCH[0]}{{{labels}}} {epoch}\n" if epoch else ""


def _heartbeat_lines(labels: str, job: Job) -> str:
    stream = job.status.stream
    return f"{_HEARTBEAT[0]}{{{labels}}} {stream.heartbeat.at.timestamp()}\n" if stream is not None else ""


def _condition(job: Job, kind: str) -> Condition | None:
    return next((each for each in job.status.conditions if each.type == kind), None)


def _escaped(value: str) -> str:
    """Return the value of a label as it is written between quotation marks."""
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
