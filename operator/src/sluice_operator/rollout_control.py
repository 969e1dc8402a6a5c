"""The turns of outdated pods: asks the rules of a rollout, counts what is decided, and logs when a rollout stops."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

import msgspec

from .domain import rollout
from .domain.actions import Decision, DeletePod
from .domain.objects import Key
from .domain.observation import Observation, ReplacementTurn
from .domain.replacements import Rollout, rollout_of
from .domain.rollout import RolloutProgress, RolloutSettings
from .informer_cache import ClusterState
from .rollout_metrics import RolloutCounts

log = logging.getLogger(__name__)


class RolloutControl:
    """Gives outdated pods their turns. It derives everything from the cluster, except which rollouts it has logged."""

    def __init__(
        self,
        store: ClusterState,
        settings: RolloutSettings,
        monotonic: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        """`monotonic` returns the time in seconds, `now` the time of day."""
        self._store = store
        self._settings = settings
        self._monotonic = monotonic
        self._now = now
        self._started_at: float | None = None  # of the first reconciliation, so of the leadership of this process
        self._stopped: set[Rollout] = set()

    def request_turn(self, observation: Observation) -> Observation:
        """Return the observation with the turn of the job's pod in a rollout, if the pod is outdated.

        The job then counts as waiting, until `count_decision` is called.
        """
        deadline = self._settings.progress_deadline_seconds
        observation = msgspec.structs.replace(observation, progress_deadline_seconds=deadline)
        held = self._seconds_held()
        request = rollout.replacement_request(observation)
        if observation.job is None or request is None:
            return observation
        self._store.replacements.add_waiting(observation.job.key, request)
        record = observation.job.status.replacement
        if record is None and request.cause == "Operator" and held > 0:
            turn = ReplacementTurn(cause=request.cause, is_granted=False, wait_seconds=held)
        else:
            progress = self._progress(rollout_of(request.cause, observation.job.key), observation.now)
            turn = rollout.replacement_turn(request, record, progress, self._settings, observation.now)
        return msgspec.structs.replace(observation, turn=turn)

    def count_decision(self, key: Key, observation: Observation, decision: Decision) -> None:
        """Count the decision about a job at once, so that decisions about other jobs consider it."""
        counts, turn = self._store.replacements, observation.turn
        if not decision.waits_for_turn:
            counts.remove_waiting(key)
        if turn is None:
            return
        if turn.record is not None and isinstance(decision.step, DeletePod):
            counts.reserve(key, turn.record)
        self._requeue_next(rollout_of(turn.cause, key), key, observation.now)

    def end_reservation(self, key: Key, observation: Observation) -> None:
        """Count the job as the cluster knows it again, because its reconciliation has ended."""
        if (next_key := self._store.replacements.release(key, self._store.jobs.get(key))) is not None:
            self._store.requeue(next_key)
        record = observation.job.status.replacement if observation.job is not None else None
        if record is not None:
            self._log_if_stopped_or_continued(rollout_of(record.cause, key), observation.now)

    def _log_if_stopped_or_continued(self, which: Rollout, now: datetime) -> None:
        is_stopped, (cause, namespace) = self.is_stopped(which, now), which
        if is_stopped == (which in self._stopped):
            return
        fields = {"cause": cause} | ({"namespace": namespace} if namespace else {})
        if not is_stopped:
            self._stopped.discard(which)
            log.info("a rollout that had stopped continues", extra=fields)
            return
        self._stopped.add(which)
        progress = self._progress(which, now)
        log.warning(
            "a rollout has stopped, because jobs are not ready in time after the replacement of their pods; correct "
            "them, or go back to the previous image or specs",
            extra=fields | {"overdue": progress.overdue, "in_progress": progress.in_progress},
        )

    def counts_by_cause(self) -> dict[str, RolloutCounts]:
        """Return the counts of all rollouts, by cause, at this time."""
        found = {"Operator": RolloutCounts(), "Spec": RolloutCounts()}
        now, counts = self._now(), self._store.replacements
        for which in counts.rollouts():
            progress, sums = self._progress(which, now), found[which[0]]
            found[which[0]] = RolloutCounts(
                outdated=sums.outdated + counts.count_waiting(which),
                in_progress=sums.in_progress + progress.in_progress,
                unavailable=sums.unavailable + counts.count_interrupted(which),
                overdue=sums.overdue + progress.overdue,
                stopped=sums.stopped + self.is_stopped(which, now),
            )
        return found

    def is_stopped(self, which: Rollout, now: datetime) -> bool:
        """Return whether no further pod of a rollout is replaced, because jobs are not ready in time."""
        return rollout.rollout_is_stopped(which[0], self._progress(which, now), self._settings)

    def _requeue_next(self, which: Rollout, key: Key, now: datetime) -> None:
        """Add the next job that waits to the work queue, if it would be its turn now."""
        counts = self._store.replacements
        next_key = counts.first_waiting(which)
        if next_key is None or next_key == key or self._seconds_held() > 0:
            return
        progress = self._progress(which, now)
        most = rollout.most_in_progress(which[0], progress.jobs, self._settings)
        if progress.in_progress < most and not rollout.rollout_is_stopped(which[0], progress, self._settings):
            self._store.requeue(next_key)

    def _progress(self, which: Rollout, now: datetime) -> RolloutProgress:
        return self._store.replacements.progress(which, now, self._settings.progress_deadline_seconds)

    def _seconds_held(self) -> float:
        """Return for how many more seconds no rollout of the operator's settings begins after the start."""
        now = self._monotonic()
        if self._started_at is None:
            self._started_at = now
        return max(0.0, self._started_at + rollout.HOLD_SECONDS - now)
