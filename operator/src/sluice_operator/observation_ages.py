"""The fields of an observation that are measured between reconciliations of a job."""

from __future__ import annotations

import msgspec

from .domain import facts, stops
from .domain.observation import Observation
from .informer_cache import TrackedJobState


def update_ages(observation: Observation, memory: TrackedJobState, reachable: float) -> dict[str, object]:
    """Update `memory` and return the fields of the observation that are measured between reconciliations.

    These are the age of the heartbeat, the age of an unconfirmed stop, and the confirmed symbol pauses. A pod cannot
    report while the API server is unreachable, so that time does not count.
    """
    said = observation.report_of_current_pod
    running = observation.pod is not None and facts.ingest_container_is_running(observation.pod)
    heartbeat = (
        (observation.pod.metadata.uid, said.heartbeat.at if said else None) if observation.pod and running else None
    )
    if heartbeat is None or heartbeat != memory.heartbeat:
        memory.heartbeat, memory.heartbeat_at = heartbeat, reachable
    if observation.job is not None and said is not None and stops.stops_are_applied(observation.job, said):
        memory.confirmed_symbol_pauses = stops.symbols_paused_by_spec(observation.job, observation.now)
    observation = msgspec.structs.replace(observation, confirmed_symbol_pauses=memory.confirmed_symbol_pauses)
    if not stops.stop_is_pending(observation):
        memory.pausing_at = None
    elif memory.pausing_at is None:
        memory.pausing_at = reachable
    terminating = observation.pod.metadata.uid if observation.pod and facts.pod_is_terminating(observation.pod) else ""
    if terminating != memory.terminating_uid:
        memory.terminating_uid, memory.terminating_read_at, memory.terminating_reads = terminating, reachable, 0
    return {
        "terminating_read_age_seconds": reachable - memory.terminating_read_at,
        "terminating_reads": memory.terminating_reads,
        "heartbeat_age_seconds": reachable - memory.heartbeat_at,
        "heartbeat_was_looked_up": heartbeat is not None and memory.confirmed_heartbeat == heartbeat,
        "pausing_seconds": reachable - (memory.pausing_at if memory.pausing_at is not None else reachable),
        "confirmed_symbol_pauses": memory.confirmed_symbol_pauses,
    }
