from datetime import timedelta

from sluice_cli.model.fleet import pause_view
from sluice_cli.model.job import JobStatus, key_of_job, status_of_job
from support.fake_kubectl import NOW, Object, job, pause, paused_job, stamp


def status(document: Object, *pauses: Object) -> JobStatus:
    return status_of_job(document, pause_view({"IngestPause": list(pauses), "ClusterIngestPause": []}, {}), NOW)


def test_a_running_job_is_read_completely() -> None:
    found = status(job(slot={"acquired": True, "holder": "us-equities"}))
    assert (found.full_name, found.feed, found.epoch, found.is_ready) == ("acme/us-equities", "alpaca:iex", 7, True)
    assert (found.symbols.declared, found.symbols.live, found.symbols.confirmed) == (3, "3/3", 3)
    assert found.symbols.freshness == {"live": 2, "quiet": 1}
    assert found.sink.writes_per_second == 20
    assert found.slot is not None
    assert found.slot.is_acquired
    assert found.is_streaming
    assert found.pause is None


def test_the_smaller_write_limit_applies() -> None:
    document = job()
    document["status"]["policy"] = {"names": ["tenants"], "writesPerSecond": 10}
    found = status(document)
    assert (found.sink.writes_per_second, found.policies) == (10, ("tenants",))


def test_a_job_can_resume_by_itself_at_the_latest_end() -> None:
    ends = [pause("a", jobs=["us-equities"], until=stamp(60)), pause("b", jobs=["us-equities"], until=stamp(120))]
    found = status(paused_job("pause:a"), *ends)
    assert found.pause is not None
    assert found.pause.until == NOW + timedelta(seconds=120)
    endless = status(paused_job("pause:a"), *ends, pause("c", jobs=["us-equities"]))
    assert endless.pause is not None
    assert endless.pause.until is None
    assert not endless.is_streaming


def test_a_job_whose_pod_has_not_obeyed_yet_is_pausing() -> None:
    document = job()
    document["spec"]["enabled"] = False
    assert status(document).state.word == "Pausing"
    assert status(job(), pause("a", jobs=["us-equities"])).state.word == "Pausing"


def test_paused_symbols_are_named_with_their_switch() -> None:
    document = job()
    document["spec"]["pausedSymbols"] = [{"symbol": "ON", "reason": "split"}, {"symbol": "SPY", "until": stamp(-1)}]
    found = status(document, pause("p", jobSelector={}, symbols=["AAPL", "TSLA"])).symbols.pauses
    assert [(each.symbols, each.switch.source) for each in found] == [
        (("AAPL",), "pause:p"),
        (("ON",), "spec.pausedSymbols"),
    ]
    assert found[0].switch.command == "kubectl sluice resume --pause p -n acme"


def test_gaps_end_with_the_one_that_lasts() -> None:
    ended = {"from": stamp(-60), "to": stamp(-40), "cause": "disconnect"}
    found = status(job(gaps=[ended], openGap={"since": stamp(-5), "cause": "pause"})).gaps
    assert [(each.cause, each.until is None) for each in found] == [("disconnect", False), ("pause", True)]


def test_a_failure_has_its_remedy() -> None:
    found = status(job(failure={"type": "network", "message": "refused", "at": stamp(-1)})).failure
    assert found is not None
    assert found.remedy.startswith("The stream reconnects by itself")


def test_a_job_that_does_not_name_its_feed_has_the_default() -> None:
    document = job()
    document["spec"] |= {"alpaca": {}}
    assert key_of_job(document).feed == "iex"
    document["status"] = {}
    assert status(document).feed == "alpaca:iex"


def test_an_object_without_a_status_is_read() -> None:
    found = status({"kind": "IngestJob", "metadata": {"namespace": "a", "name": "b"}, "spec": {}})
    assert (found.state.word, found.stream_state, found.symbols.confirmed) == ("New", "", None)
