from sluice_cli.model.fleet import pause_view
from sluice_cli.model.job import JobStatus, status_of_job
from sluice_cli.views.sentences import (
    command_for,
    detail_text,
    freshness_text,
    named_symbols,
    next_command,
    pause_text,
    rate_text,
    rejection_text,
    state_text,
)
from support.fake_kubectl import NOW, Object, condition, job, pause, paused_job, stamp


def status(document: Object, *pauses: Object) -> JobStatus:
    return status_of_job(document, pause_view({"IngestPause": list(pauses), "ClusterIngestPause": []}, {}), NOW)


def test_a_pause_says_since_when_and_until_when() -> None:
    held = paused_job("pause:p")
    ends = pause("p", jobs=["us-equities"], until=stamp(1260), by="alice")
    assert state_text(status(held, ends), NOW) == "Paused 22m, resumes in 21m"
    assert state_text(status(paused_job("api")), NOW) == "Paused 22m, no end"
    assert state_text(status(paused_job("pause:gone")), NOW) == "Paused 22m"


def test_a_paused_job_says_who_and_why_and_what_else_holds() -> None:
    found = status(paused_job("api", "env:INGEST_ENABLED"))
    assert detail_text(found, NOW) == 'alice: "vendor incident" · also env:INGEST_ENABLED'
    unsigned = status(job(), pause("p", jobs=["us-equities"]))
    assert pause_text(unsigned.pause, NOW) == '"vendor incident"'
    declared = job()
    declared["spec"]["enabled"] = False
    assert pause_text(status(declared).pause, NOW) == "spec.enabled"
    assert pause_text(None, NOW) == ""


def test_symbols_are_counted_and_the_first_rejected_one_is_named() -> None:
    rejected = {"rejected": 2, "rejections": [{"symbol": "TWTR", "code": 404, "message": "not found"}]}
    found = status(job(symbols=rejected, freshness={"live": 27, "stale": 1}))
    assert freshness_text(found.symbols) == "27 live · 1 stale"
    assert rejection_text(found.symbols) == '2 rejected: TWTR 404 "not found"'
    assert detail_text(found, NOW) == '27 live · 1 stale · 2 rejected: TWTR 404 "not found"'
    assert named_symbols(("A", "B"), 5) == "A, B and 3 more"


def test_a_dry_run_is_named_before_its_problem() -> None:
    document = job("us", "acme", condition("Ready", "False", "BackingOff", "gateway refused the connection"))
    document["spec"]["dryRun"] = True
    assert detail_text(status(document), NOW) == "dry run · gateway refused the connection"
    assert state_text(status(document), NOW) == "Running BackingOff"


def test_the_next_command_follows_from_the_state() -> None:
    assert next_command(status(job())).startswith("kubectl sluice pause us-equities -n acme --for 30m")
    assert next_command(status(paused_job("api"))) == "kubectl sluice resume us-equities -n acme"
    stalled = job("us", "acme", condition("Ready", "False", "Refused"), condition("Stalled", "True", "Refused"))
    assert next_command(status(stalled)) == "kubectl logs us-ingest -n acme -c ingest --tail=20"
    del stalled["status"]["podName"]
    assert next_command(status(stalled)) == "kubectl describe ij us -n acme"
    assert command_for(status(job()), "status") == "kubectl sluice status us-equities -n acme"


def test_the_rate_is_beside_its_limit() -> None:
    sink = status(job()).sink
    assert rate_text(sink) == "at most 20 writes/s"
    assert rate_text(sink._replace(rate=18.2)) == "18.2 writes/s of 20"
    assert rate_text(sink._replace(rate=0.0, writes_per_second=None)) == "0.0 writes/s"
