import pytest

from sluice_cli.model.state import problems_of_job, state_of_job
from support.fake_kubectl import NOW, Object, condition, job, paused_job, stamp


def with_phase(phase: str, *conditions: Object, **stream: object) -> Object:
    found = job("us", "acme", *conditions, **stream)
    found["status"]["phase"] = phase
    return found


READY = condition("Ready", "True", "Streaming")
UNREADY = condition("Ready", "False", "BackingOff", "gateway refused the connection")
CASES = {
    "running": (job(), "running", "Running", ""),
    "new": ({"metadata": {}}, "waiting", "New", ""),
    "blocked": (
        with_phase("Blocked", UNREADY, condition("Stalled", "True", "Refused", "Bad key.")),
        "needsAction", "Blocked", "Refused",
    ),
    "not acknowledged": (
        with_phase("Pausing", UNREADY, condition("Paused", "False", "NotAcknowledged")),
        "needsAction", "Pausing", "NotAcknowledged",
    ),
    "backing off": (with_phase("Degraded", UNREADY), "degraded", "Degraded", "BackingOff"),
    "pending": (with_phase("Pending", condition("Ready", "False", "PodPending")), "waiting", "Pending", ""),
    "pausing": (job("us", "acme", READY, pause={"source": "api"}), "waiting", "Pausing", ""),
    "paused": (paused_job("api"), "paused", "Paused", ""),
    "paused, by the pod alone": (
        job("us", "acme", READY, state="Paused", pause={"source": "api", "acknowledgedAt": stamp(-5)}),
        "paused", "Paused", "",
    ),
    "paused without a pod": (
        with_phase("Paused", condition("Ready", "True", "Paused"), condition("Paused", "True", "NothingConnected")),
        "paused", "Paused", "",
    ),
    "silent": (job("us", "acme", READY, heartbeat={"at": stamp(-200)}), "degraded", "Silent", ""),
    "silent, as the operator says": (
        job("us", "acme", condition("Ready", "False", "HeartbeatStale"), heartbeat={"at": stamp(-200)}),
        "degraded", "Silent", "",
    ),
    "finished": (
        with_phase("Stopped", condition("Ready", "True", "ReplayFinished"), heartbeat={"at": stamp(-9999)}),
        "finished", "Finished", "",
    ),
    "impaired": (
        job("us", "acme", condition("Ready", "True", "ProviderDegraded", "The provider reports an outage.")),
        "warning", "Running", "ProviderDegraded",
    ),
    "stale symbols": (job("us", "acme", READY, freshness={"stale": 2}), "warning", "Running", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_state_has_its_level_and_its_word(name: str) -> None:
    document, *expected = CASES[name]
    found = state_of_job(document, NOW)
    assert [found.level, found.word, found.reason] == expected


def test_a_problem_has_the_remedy_of_the_contract() -> None:
    found = state_of_job(CASES["blocked"][0], NOW)
    assert (found.message, found.remedy.split(";")[0]) == ("Bad key.", "Put valid credentials into the Secret")


def test_a_running_job_is_live_since_the_last_change_of_its_stream() -> None:
    since = state_of_job(job(), NOW).since
    assert since is not None
    assert (NOW - since).total_seconds() == 8040


def test_each_problem_is_named_once() -> None:
    document = job(
        "us", "acme", READY, condition("SinkHealthy", "False", "WritesFailing", "No permission."),
        condition("PolicyCompliant", "True", "Capped", "Writes are capped."),
        condition("CredentialsValid", "True", "Accepted"),
        condition("Reconciling", "True", "Connecting", "Connecting."),
        failure={"type": "network", "message": "No permission."},
        specProblem="spec.foo is not understood",
        symbols={"rejected": 3},
    )  # fmt: skip
    said = [each.message for each in problems_of_job(document)]
    assert said[:3] == ["No permission.", "Writes are capped.", "Connecting."]
    assert said[3:] == ["spec.foo is not understood", "3 rejected"]


@pytest.mark.parametrize("odd", [{}, {"status": []}, {"status": {"conditions": "x", "stream": 5}}, {"status": None}])
def test_a_status_of_an_unknown_form_is_a_new_job(odd: Object) -> None:
    assert state_of_job({"metadata": {}, **odd}, NOW).word == "New"


def test_stale_symbols_name_the_command_that_shows_them() -> None:
    [problem] = problems_of_job(job(freshness={"live": 2, "stale": 1}))
    assert (problem.message, problem.remedy) == ("1 stale", "kubectl sluice symbols us-equities -n acme --stale")
