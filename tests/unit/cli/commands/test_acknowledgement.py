from typing import Any

import pytest

from sluice_cli.commands.acknowledgement import Outcome, Wanted, wait_for_acknowledgement
from sluice_cli.model.job import key_of_job
from sluice_cli.model.pauses import pause_of
from sluice_cli.transport import Request, Result
from support.fake_kubectl import Console, FakeKubectl, FakeRequest, Object, condition, job, pause, paused_job

PAUSE = pause("p", jobs=["us-equities"])


def wait(kubectl: FakeKubectl, document: Object | None = PAUSE, source: str = "pause:p") -> tuple[Outcome, float]:
    value = pause_of(document) if document is not None else None
    console = Console(kubectl)
    began = console.context.now()

    def concerns(each: dict[str, Any]) -> bool:
        return value is None or value.covers(key_of_job(each))

    outcome = wait_for_acknowledgement(console.context, Wanted(source, ["-n", "acme"], value, concerns), 5)
    return outcome, (console.context.now() - began).total_seconds()


def test_each_job_answers_by_the_report_of_its_pod() -> None:
    outcome, seconds = wait(FakeKubectl(paused_job("pause:p"), job("other"), PAUSE))
    assert outcome.is_complete
    assert seconds < 1
    [answer] = outcome.answers
    assert [words for words, _ in answer.steps] == ["socket closed", "acknowledged: no quote is written any more"]


@pytest.mark.parametrize("document", [job(), paused_job("api")])
def test_a_pause_by_another_switch_alone_is_no_answer(document: Object) -> None:
    outcome, seconds = wait(FakeKubectl(document, PAUSE))
    assert not outcome.is_complete
    assert seconds >= 5


def test_the_operator_answers_for_a_job_without_a_pod() -> None:
    stored = pause("p", jobs=["us-equities"])
    acknowledged = condition("Acknowledged", "True", "Acknowledged") | {"observedGeneration": 1}
    stored["status"] = {"acknowledged": "1/1", "conditions": [acknowledged]}
    outcome, _ = wait(FakeKubectl(job(), stored), stored)
    assert outcome.is_complete
    assert outcome.answers[0].at is None


def test_symbols_are_confirmed_by_their_names() -> None:
    stored = pause("p", jobs=["us-equities"], symbols=["ON", "TSLA"])
    open_job, closed_job = job(), job()
    closed_job["status"]["stream"]["symbols"]["pausedSymbols"] = ["ON"]
    assert not wait(FakeKubectl(open_job, stored), stored)[0].is_complete
    assert wait(FakeKubectl(closed_job, stored), stored)[0].is_complete


def test_without_access_to_jobs_only_the_operator_can_answer() -> None:
    outcome, _ = wait(FakeKubectl(job(), PAUSE, denied=("list ingestjobs",)))
    assert not outcome.is_complete
    assert "only the operator's count" in outcome.problem
    outcome, _ = wait(FakeKubectl(denied=("list ingestjobs", "list ingestpauses")))
    assert outcome.problem == "you may list neither ingestjobs nor pauses"
    outcome, _ = wait(FakeKubectl(denied=("list ingestjobs",)), None, "spec.pause")
    assert not outcome.is_complete


def test_a_field_of_the_job_is_a_switch_too() -> None:
    assert wait(FakeKubectl(paused_job("spec.pause")), None, "spec.pause")[0].is_complete


class InterruptedKubectl(FakeKubectl):
    """Cannot reach the API server in the first `failures` requests. A denied request for jobs is always answered."""

    def __init__(self, failures: int, *objects: Object, denied: tuple[str, ...] = ()) -> None:
        super().__init__(*objects, denied=denied)
        self._failures = failures

    def start(self, *arguments: str, text: str | None = None) -> Request:
        is_denied = bool(self.denied) and "ingestjobs" in " ".join(arguments)
        if self._failures > 0 and not is_denied:
            self._failures -= 1
            return FakeRequest(Result(1, "", "Unable to connect to the server: dial tcp: connection refused"))
        return super().start(*arguments, text=text)


def test_a_short_interruption_of_the_connection_does_not_end_the_wait() -> None:
    outcome, seconds = wait(InterruptedKubectl(2, paused_job("pause:p"), PAUSE))
    assert (outcome.is_complete, outcome.problem) == (True, "")
    assert seconds < 2.5


def test_an_api_server_that_stays_away_ends_the_wait_at_half_of_its_time_with_the_error() -> None:
    outcome, seconds = wait(InterruptedKubectl(1000, paused_job("pause:p"), PAUSE))
    assert (outcome.is_complete, outcome.answers) == (False, ())
    assert "connection refused" in outcome.problem
    assert 2.5 <= seconds < 5


def test_an_interruption_while_only_the_operator_can_answer_is_reported_too() -> None:
    outcome, _ = wait(InterruptedKubectl(1000, PAUSE, denied=("list ingestjobs",)))
    assert not outcome.is_complete
    assert "connection refused" in outcome.problem
