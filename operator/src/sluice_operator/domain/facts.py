"""Facts about one observation. Each reads as a sentence; none decides anything."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sluice_contract import identity
from sluice_contract.status import LARGEST, Restart, StreamStatus

from .objects import NO_CONTAINER, ContainerStatus, Job, Pod
from .observation import Observation

HEARTBEAT_LIMIT_SECONDS: Final = 90.0  # the pod reports at least every 30 s
RESTART_FIRST_SECONDS: Final = 10.0
RESTART_MOST_SECONDS: Final = 300.0
RESTART_CLEARED_AFTER_SECONDS: Final = 600.0
REFUSAL_RETRY_SECONDS: Final = 60.0

_EPOCH_DIGITS: Final = 15  # one that somebody has annotated must not be the last there can be
_WORDS_SHOWN: Final = 512  # of a log's end: three conditions may repeat it, and the object should stay small

# Waiting reasons of the kubelet that no amount of waiting is likely to end.
_UNSTARTABLE: Final = frozenset(
    {
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "RunContainerError",
    }
)


def container(pod: Pod) -> ContainerStatus:
    """The state of the ingest container; one without a state while the kubelet has not reported any."""
    return next((each for each in pod.status.container_statuses if each.name == identity.CONTAINER), NO_CONTAINER)


def symbols_words(report: StreamStatus) -> str:
    """How many symbols stream, which pauses there are of single ones, and which of those are of none."""
    words, unknown = f"{report.symbols.live} symbols", report.symbols.unknown_paused
    if report.symbols.paused:
        words += f", {report.symbols.paused} paused"
    if unknown:
        words += f"; spec.symbols does not contain {', '.join(unknown)}, listed in spec.pausedSymbols"
    return words + "."


def pod_is_foreign(job: Job, pod: Pod) -> bool:
    """The pod has the job's pod name, and is controlled by something else, or by nothing."""
    return not any(
        owner.controller and owner.kind == identity.KIND and owner.name == job.metadata.name
        for owner in pod.metadata.owner_references
    )


def pod_is_of(job: Job, pod: Pod) -> bool:
    """The pod belongs to this very job, not to an earlier one of the same name."""
    return any(owner.controller and owner.uid == job.metadata.uid for owner in pod.metadata.owner_references)


def pod_was_created_by_operator(pod: Pod) -> bool:
    """The operator created the pod, for whichever job."""
    return pod.metadata.labels.get(identity.MANAGED_BY_LABEL) == identity.MANAGED_BY and any(
        owner.controller and owner.kind == identity.KIND for owner in pod.metadata.owner_references
    )


def pod_is_terminating(pod: Pod) -> bool:
    """Asked to go; it counts as running until the object is gone."""
    return pod.metadata.deletion_timestamp is not None


def pod_has_ended(pod: Pod) -> bool:
    """All containers ended for good."""
    return pod.status.phase in ("Succeeded", "Failed")


def pod_is_outdated(pod: Pod, cold_hash: str) -> bool:
    """Another pod would be built today; or the pod lost the label by which it is watched, and its changes go unseen."""
    return (
        pod.metadata.annotations.get(identity.COLD_HASH_ANNOTATION) != cold_hash
        or pod.metadata.labels.get(identity.MANAGED_BY_LABEL) != identity.MANAGED_BY
    )


def pod_is_running(pod: Pod | None) -> bool:
    """Its container runs, so it may be connected; also while it is terminating."""
    if pod is None or pod.status.phase != "Running":
        return False
    state = container(pod).state
    return state.waiting is None and state.terminated is None


def pod_is_crashing(pod: Pod) -> bool:
    """Its container ended and waits to be started again."""
    state = container(pod).state
    return (state.waiting is not None and state.waiting.reason == "CrashLoopBackOff") or state.terminated is not None


def obstacle(pod: Pod) -> str:
    """What keeps the pod from starting, in the cluster's words. Empty: nothing that needs somebody to act."""
    waiting = container(pod).state.waiting
    if waiting is not None and waiting.reason in _UNSTARTABLE:
        return f"{waiting.reason}: {waiting.message}".rstrip(": ")
    for condition in pod.status.conditions:
        if condition.type == "PodScheduled" and condition.reason == "Unschedulable":
            return f"Unschedulable: {condition.message}".rstrip(": ")
    return ""


def last_words(pod: Pod) -> str:
    """How the pod, or its container, last ended."""
    status = container(pod)
    ended = status.state.terminated or status.last_state.terminated
    if ended is not None:
        return f"exit code {ended.exit_code} {ended.reason} {ended.message[-_WORDS_SHOWN:]}".strip()
    return f"{pod.status.reason} {pod.status.message}".strip() or pod.status.phase


def running_seconds(observation: Observation) -> float:
    """How long the container has run, by the node's clock against ours. 0 while it does not."""
    running = container(observation.pod).state.running if observation.pod is not None else None
    if running is None or running.started_at is None:
        return 0.0
    return (observation.now - running.started_at).total_seconds()


def pod_epoch(pod: Pod) -> int:
    """The pod's incarnation. 0: somebody removed the annotation."""
    text = pod.metadata.annotations.get(identity.EPOCH_ANNOTATION, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _EPOCH_DIGITS else 0


def next_epoch(observation: Observation) -> int:
    """The next incarnation: milliseconds since 1970, and more than any before it even if the clock went back."""
    job = observation.job
    last = (job.status.epoch or 0) if job is not None else 0
    return min(max(last + 1, int(observation.now.timestamp() * 1000)), LARGEST)


def stream(observation: Observation) -> StreamStatus | None:
    """What the current pod says of itself. None: it has said nothing, or what is there is of another pod."""
    job, pod = observation.job, observation.pod
    if job is None or pod is None or job.status.stream is None or not pod_is_of(job, pod):
        return None
    return job.status.stream if job.status.stream.pod_uid == pod.metadata.uid else None


def nothing_can_be_connected(observation: Observation) -> bool:
    """No container of ours runs; and one that starts reads the job before it opens anything."""
    job, pod = observation.job, observation.pod
    return job is None or pod is None or pod_is_foreign(job, pod) or not pod_is_running(pod)


def heartbeat_is_overdue(observation: Observation) -> bool:
    """A running pod has said nothing for too long, as far as our watch shows."""
    return pod_is_running(observation.pod) and observation.heartbeat_age_seconds >= HEARTBEAT_LIMIT_SECONDS


def heartbeat_is_stale(observation: Observation) -> bool:
    """Overdue, and a live read confirmed that it is not our watch that is behind."""
    return heartbeat_is_overdue(observation) and observation.heartbeat_was_looked_up


def generation_is_applied(job: Job, report: StreamStatus) -> bool:
    """The pod streams by the newest spec."""
    return report.observed_generation >= job.metadata.generation


def tape_is_finished(observation: Observation) -> bool:
    """The job's last incarnation streamed its tape to the end, under the newest spec; its pod need not be there."""
    job = observation.job
    if job is None or job.spec is None or job.spec.provider != "replay" or job.status.stream is None:
        return False
    report = job.status.stream
    return (
        report.state == "Finished"
        and report.heartbeat.epoch == job.status.epoch
        and report.observed_generation == job.metadata.generation
    )


def symbols_are_settled(report: StreamStatus) -> bool:
    """The provider has answered for every symbol, and took at least one if there is any."""
    ledger = report.symbols
    return ledger.confirmed + ledger.rejected >= ledger.desired and (ledger.confirmed > 0 or ledger.desired == 0)


def next_restart(observation: Observation, pod: Pod) -> Restart:
    """The back-off before the successor of a pod that ended by itself.

    The epoch tells whether this end was counted before a crash of ours: it is the time of the pod's creation by the
    clock that set `nextAt`, and no pod is created before that.
    """
    job = observation.job
    earlier = job.status.restart if job is not None else None
    if earlier is not None and earlier.next_at.timestamp() * 1000 > pod_epoch(pod):
        return earlier
    count = (earlier.count if earlier is not None else 0) + 1
    delay = min(RESTART_FIRST_SECONDS * 2 ** min(count - 1, 10), RESTART_MOST_SECONDS)
    next_at = observation.now + timedelta(seconds=delay)
    return Restart(count=count, next_at=next_at.replace(microsecond=next_at.microsecond // 1000 * 1000))
