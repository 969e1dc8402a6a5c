from sluice_cli.model.fleet import pause_view
from sluice_cli.model.job import key_of_job
from sluice_cli.model.switches import PauseView, switches_of_job
from support.fake_kubectl import NOW, Object, job, pause, paused_job, stamp


def sources(document: Object, *pauses: Object) -> list[str]:
    """Return the sources that pause the job if all pauses can be read."""
    kinds = ("IngestPause", "ClusterIngestPause")
    view = pause_view({kind: [each for each in pauses if each["kind"] == kind] for kind in kinds}, {})
    return [each.source for each in switches_of_job(document, key_of_job(document), view, NOW)]


def test_each_switch_is_named_in_the_order_of_authority() -> None:
    document = paused_job("api", "autoStop", "file:/etc/x", "unreadable")
    document["spec"] |= {"enabled": False, "pause": {"reason": "x"}}
    found = sources(document, pause("p", jobs=["us-equities"]), pause("c", ""))
    expected = [
        "unreadable",
        "clusterpause:c",
        "pause:p",
        "spec.enabled",
        "spec.pause",
        "autoStop",
        "api",
        "file:/etc/x",
    ]
    assert found == expected


def test_a_report_about_an_object_that_no_longer_exists_is_outdated() -> None:
    assert sources(paused_job("pause:gone", "spec.enabled", "clusterpause:gone")) == []


def test_a_report_about_objects_that_cannot_be_read_counts() -> None:
    document = paused_job("pause:a", "clusterpause:b")
    found = switches_of_job(document, key_of_job(document), PauseView({}), NOW)
    assert [each.source for each in found] == ["clusterpause:b", "pause:a"]


def test_what_has_ended_or_covers_symbols_alone_does_not_pause_the_job() -> None:
    document = job()
    document["spec"]["pause"] = {"until": stamp(-1)}
    assert sources(document, pause(until=stamp(-1)), pause(symbols=["SPY"])) == []


def test_a_report_of_an_earlier_version_has_one_switch() -> None:
    document = paused_job("api")
    del document["status"]["stream"]["pause"]["sources"]
    assert sources(document) == ["api"]


def test_a_switch_says_who_why_until_when_and_what_ends_it() -> None:
    document = job()
    view = pause_view({"IngestPause": [pause("p", by="alice", until=stamp(60))], "ClusterIngestPause": []}, {})
    [found] = switches_of_job(document, key_of_job(document), view, NOW)
    assert found.describe(NOW) == 'pause:p (alice: "vendor incident") until 14:01:00Z'
    assert found.command == "kubectl sluice resume --pause p -n acme"
    assert found._replace(by="", until=None).describe(NOW) == 'pause:p ("vendor incident"), without an end'
    assert found._replace(reason="", until=None).describe(NOW) == "pause:p (alice), without an end"
