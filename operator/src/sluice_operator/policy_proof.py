"""The proof that the admission policies limit the operator's account: trials at the start and every hour."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from .domain import policy_trials
from .domain.observation import PolicyProblem
from .domain.policy_trials import Trial, TrialOutcome, TrialResult
from .ports import ClusterError, Conflict, NotFound, PodDryRun, RequestRefused, seconds_until_retry

log = logging.getLogger(__name__)

PERIOD_SECONDS: Final = 3600.0
NO_RIGHT_SECONDS: Final = 60.0  # an administrator may grant the right to create pods at any time
FIRST_RETRY_SECONDS: Final = 1.0  # a policy that has just been applied takes effect after a moment
MOST_RETRY_SECONDS: Final = 10.0


class PolicyProof:
    """Whether dry runs prove that the policies limit the operator's account. It is not proven before the first trials.

    A trial without a usable response, for example while the API server is down, keeps its earlier result.
    """

    def __init__(
        self,
        pods: PodDryRun,
        trials: tuple[Trial, ...],
        image: str,
        on_change: Callable[[PolicyProblem | None], object],
    ) -> None:
        """`on_change` is called with the problem at once, and then each time it changes."""
        self._pods = pods
        self._trials = trials
        self._image = image
        self._on_change = on_change
        self._results: tuple[TrialResult, ...] = ()
        self._logged = ""  # the last problem in the log
        self._asked_seconds = 0.0  # for which the API server wants no request, as the last round said
        self.problem = policy_trials.problem_of_results(())
        on_change(self.problem)

    @property
    def is_proven(self) -> bool:
        """Whether each policy refused its last trial."""
        return self.problem is None

    async def run(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Run the trials now and every hour, more often while a policy is not proven. Never returns."""
        retry_seconds = FIRST_RETRY_SECONDS
        while True:
            is_conclusive = await self.run_trials()
            if self.is_proven and is_conclusive:
                retry_seconds = FIRST_RETRY_SECONDS
                has_no_right = any(each.outcome is TrialOutcome.HAS_NO_RIGHT for each in self._results)
                await sleep(NO_RIGHT_SECONDS if has_no_right else PERIOD_SECONDS)
            else:
                await sleep(max(retry_seconds, self._asked_seconds))
                retry_seconds = min(2 * retry_seconds, MOST_RETRY_SECONDS)

    async def run_trials(self) -> bool:
        """Run each trial once, side by side, and update the problem. Return whether each result is conclusive."""
        self._asked_seconds = 0.0
        new = await asyncio.gather(*map(self._result_of_trial, self._trials))
        before, self._results = self.problem, policy_trials.merged_results(self._results, new)
        self.problem = policy_trials.problem_of_results(self._results)
        self._log(before)
        if self.problem != before:
            self._on_change(self.problem)
        return all(each.is_conclusive for each in new)

    async def _result_of_trial(self, trial: Trial) -> TrialResult:
        try:
            await self._pods.dry_run_creation(policy_trials.trial_pod_manifest(trial, self._image))
        except RequestRefused as refused:
            return policy_trials.result_of_refusal(trial, str(refused))
        except NotFound as error:  # the namespace does not exist
            return TrialResult(trial, TrialOutcome.HAS_NO_RIGHT, str(error))
        except Conflict as error:  # the API server looks for a pod of this name only after it has admitted the new one
            return TrialResult(trial, TrialOutcome.ADMITTED, str(error))
        except ClusterError as error:
            self._asked_seconds = seconds_until_retry(error, self._asked_seconds)
            return TrialResult(trial, TrialOutcome.NO_ANSWER, str(error))
        return TrialResult(trial, TrialOutcome.ADMITTED)

    def _log(self, before: PolicyProblem | None) -> None:
        """Log a problem that two rounds in a row have found, and its end. The first may come before the policies."""
        if self.problem is None:
            if before is not None:
                log.info("the policies limit the operator's account; it may create pods")
            self._logged = ""
        elif self.problem == before and self.problem.message != self._logged:
            self._logged = self.problem.message
            log.error("the policies are not proven to limit the operator's account", extra={"reason": self._logged})
