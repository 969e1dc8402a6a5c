"""Facts about one observation of a job and its pod. The functions decide nothing."""

from __future__ import annotations

from typing import Final

from sluice_contract import identity
from sluice_contract.providers import stream_has_end
from sluice_contract.status import StreamStatus
from sluice_contract.status_values import LARGEST

from .objects import NO_CONTAINER, ContainerStateTerminated, ContainerStatus, Job, Pod
from .observation import Observation

HEARTBEAT_LIMIT_SECONDS: Final = 90.0  # the pod reports at least every 30 s
REFUSAL_RETRY_SECONDS: Final = 60.0

_EPOCH_DIGITS: Final = 15  # a manually annotated epoch must not be the last possible one
_WORDS_SHOWN: Final = 512  # from the end of a log: three conditions may repeat it, and the object should stay small

_WAITS_FOR_INIT_CONTAINERS: Final = "PodInitializing"

# Waiting reasons of the kubelet that are unlikely to end by themselves.
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


def ingest_container_status(pod: Pod) -> ContainerStatus:
    """Return the status of the ingest container. It has no state until the kubelet has reported one."""
    return next((each for each in pod.status.container_statuses if each.name == identity.CONTAINER), NO_CONTAINER)


def symbol_counts_sentence(report: StreamStatus) -> str:
    """Return a sentence: how many symbols stream, how many are paused, and which paused symbols are not declared."""
    words, unknown = f"{report.symbols.live} symbols", report.symbols.unknown_paused_symbols
    if report.symbols.paused:
        words += f", {report.symbols.paused} paused"
    if unknown:
        words += f"; spec.symbols does not contain {', '.join(unknown)}, listed in spec.pausedSymbols"
    return words + "."


def pod_is_foreign(job: Job, pod: Pod) -> bool:
    """Return whether the pod, which has the name of the job's pod, is not of a job of this name."""
    return not pod_is_orphaned(pod) and not any(
        owner.is_controlling_job and owner.name == job.metadata.name for owner in pod.metadata.owner_references
    )


def pod_is_orphaned(pod: Pod) -> bool:
    """Return whether the operator created the pod, and the pod has lost its owner.

    `kubectl delete --cascade=orphan` removes it. Name, labels, annotations and account identify the pod: policy
    sluice-ingest-pods lets only the operator create a pod with this account.
    """
    metadata = pod.metadata
    return (
        not any(owner.controller for owner in metadata.owner_references)
        and pod_has_operator_label(pod)
        and identity.pod_name(metadata.labels.get(identity.JOB_LABEL, "")) == metadata.name
        and {identity.EPOCH_ANNOTATION, identity.COLD_HASH_ANNOTATION} <= metadata.annotations.keys()
        and pod.spec.service_account_name == identity.SERVICE_ACCOUNT
    )


def pod_has_operator_label(pod: Pod) -> bool:
    """Return whether the pod has the label by which the operator lists and watches pods."""
    return pod.metadata.labels.get(identity.MANAGED_BY_LABEL) == identity.MANAGED_BY


def pod_was_created_by_operator(pod: Pod) -> bool:
    """Return whether the pod was created by the operator, for this or another job, even if it has lost its owner."""
    return pod_is_orphaned(pod) or (
        pod_has_operator_label(pod) and any(owner.is_controlling_job for owner in pod.metadata.owner_references)
    )


def pod_is_terminating(pod: Pod) -> bool:
    """Return whether the deletion of the pod has started. Its container may still run until the object is gone."""
    return pod.metadata.deletion_timestamp is not None


def pod_phase_is_final(pod: Pod) -> bool:
    """Return whether all containers of the pod have exited and are not restarted (phase Succeeded or Failed)."""
    return pod.status.phase in ("Succeeded", "Failed")


def pod_has_ended(pod: Pod) -> bool:
    """Return whether the ingest container has exited and is not restarted.

    Other containers, which a service mesh has injected, may still run: the phase of the pod then stays Running. With
    the requested restart policy, OnFailure, the kubelet never restarts a container that has exited with code 0. A
    webhook may have set another policy.
    """
    terminated, policy = ingest_container_status(pod).state.terminated, pod.spec.restart_policy
    if terminated is None:
        return pod_phase_is_final(pod)
    return pod_phase_is_final(pod) or policy == "Never" or (policy != "Always" and terminated.exit_code == 0)


def pod_is_outdated(pod: Pod, cold_hash: str) -> bool:
    """Return whether the operator would build a different pod now, or the pod has lost the operator's label."""
    return (
        pod.metadata.annotations.get(identity.COLD_HASH_ANNOTATION) != cold_hash
        or pod.metadata.labels.get(identity.MANAGED_BY_LABEL) != identity.MANAGED_BY
    )


def ingest_container_is_running(pod: Pod | None) -> bool:
    """Return whether the ingest container runs, and so may be connected to the provider.

    It can still run while the pod terminates. It can also run in phase Pending, in which a pod stays while another of
    its containers, which a service mesh has injected, has not started.
    """
    if pod is None or pod_phase_is_final(pod):
        return False
    state = ingest_container_status(pod).state
    if state.running is not None:
        return True
    return pod.status.phase == "Running" and state.waiting is None and state.terminated is None


def container_waits_for_restart(pod: Pod) -> bool:
    """Return whether the ingest container has exited and waits for the kubelet to restart it."""
    state = ingest_container_status(pod).state
    return (state.waiting is not None and state.waiting.reason == "CrashLoopBackOff") or state.terminated is not None


def start_obstacle(pod: Pod) -> str:
    """Return why the pod cannot start, with the message of Kubernetes; empty if nothing needs to be fixed."""
    waiting = ingest_container_status(pod).state.waiting
    if waiting is not None and waiting.reason in _UNSTARTABLE:
        return f"{waiting.reason}: {waiting.message}".rstrip(": ")
    for condition in pod.status.conditions:
        if condition.type == "PodScheduled" and condition.reason == "Unschedulable":
            return f"Unschedulable: {condition.message}".rstrip(": ")
    if waiting is not None and waiting.reason == _WAITS_FOR_INIT_CONTAINERS:
        return _init_container_failure(pod)
    return ""


def _init_container_failure(pod: Pod) -> str:
    """Return which init container does not start or keeps failing, and why; empty if none.

    The operator requests no init container. A webhook, for example that of a service mesh, has injected it.
    """
    for each in pod.status.init_container_statuses:
        waiting, ended = each.state.waiting, each.state.terminated or each.last_state.terminated
        if waiting is not None and waiting.reason in _UNSTARTABLE:
            return f"init container {each.name}: {waiting.reason}: {waiting.message}".rstrip(": ")
        if each.state.running is None and ended is not None and ended.exit_code != 0:
            return f"init container {each.name} keeps failing: {_termination_text(ended)}"
    return ""


def exit_description(pod: Pod) -> str:
    """Return the exit code, reason and message of the container's last exit, or else why the pod ended."""
    status = ingest_container_status(pod)
    ended = status.state.terminated or status.last_state.terminated
    if ended is not None:
        return _termination_text(ended)
    return f"{pod.status.reason} {pod.status.message}".strip() or pod.status.phase


def _termination_text(ended: ContainerStateTerminated) -> str:
    return f"exit code {ended.exit_code} {ended.reason} {ended.message[-_WORDS_SHOWN:]}".strip()


def running_seconds(observation: Observation) -> float:
    """Return for how many seconds the container has run; 0 if it does not run.

    The start is by the node's clock and the current time by the operator's clock.
    """
    running = ingest_container_status(observation.pod).state.running if observation.pod is not None else None
    if running is None or running.started_at is None:
        return 0.0
    return (observation.now - running.started_at).total_seconds()


def pod_epoch(pod: Pod) -> int:
    """Return the pod's epoch, or 0 if its annotation is missing or unreadable."""
    text = pod.metadata.annotations.get(identity.EPOCH_ANNOTATION, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _EPOCH_DIGITS else 0


def pod_spec_hash(pod: Pod) -> str:
    """Return the hash of the spec that the pod was created with; empty for a pod of an earlier operator."""
    return pod.metadata.annotations.get(identity.SPEC_HASH_ANNOTATION, "")


def next_epoch(observation: Observation) -> int:
    """Return the epoch of the next pod: Unix milliseconds, or the last epoch + 1 if the clock has gone back."""
    job = observation.job
    last = max((job.status.epoch or 0) if job is not None else 0, observation.last_epoch)
    return min(max(last + 1, int(observation.now.timestamp() * 1000)), LARGEST)


def nothing_can_be_connected(observation: Observation) -> bool:
    """Return whether no container of the job runs, so that nothing is connected to the provider.

    A container that starts now reads the job before it opens a connection.
    """
    job, pod = observation.job, observation.pod
    return job is None or pod is None or pod_is_foreign(job, pod) or not ingest_container_is_running(pod)


def heartbeat_is_overdue(observation: Observation) -> bool:
    """Return whether the pod runs but the operator has seen no new heartbeat for 90 s. The watch may be late."""
    return ingest_container_is_running(observation.pod) and observation.heartbeat_age_seconds >= HEARTBEAT_LIMIT_SECONDS


def heartbeat_is_stale(observation: Observation) -> bool:
    """Return whether the heartbeat is overdue and a live read of the job has confirmed it."""
    return heartbeat_is_overdue(observation) and observation.heartbeat_was_looked_up


def generation_is_applied(job: Job, report: StreamStatus) -> bool:
    """Return whether the pod has applied the newest generation of the spec."""
    return report.observed_generation >= job.metadata.generation


def tape_is_finished(observation: Observation) -> bool:
    """Return whether a pod of the job has streamed the tape to its end with the newest spec.

    The pod may no longer exist. `status.epoch` is not compared: it may be ahead of the pod that finished, if an earlier
    version of the operator raised it before a creation whose response was lost.
    """
    job = observation.job
    if job is None or job.spec is None or not stream_has_end(job.spec) or job.status.stream is None:
        return False
    report = job.status.stream
    return report.state == "Finished" and report.observed_generation == job.metadata.generation


def symbols_are_settled(report: StreamStatus) -> bool:
    """Return whether the provider has accepted or rejected every symbol, and at least one symbol is accepted.

    Without symbols, the answer is true.
    """
    ledger = report.symbols
    return ledger.confirmed + ledger.rejected >= ledger.desired and (ledger.confirmed > 0 or ledger.desired == 0)
