from sluice_cli.model.findings import NOTE, WARNING
from sluice_cli.model.pause_findings import pause_findings, policy_findings
from sluice_cli.model.pauses import pause_of
from support.fake_kubectl import NOW, pause, stamp

DAY = 86_400


def test_a_pause_that_has_ended_can_be_deleted() -> None:
    [found] = pause_findings([pause_of(pause(until=stamp(-60)))], NOW)
    assert (found.severity, found.about) == (NOTE, "acme/incident")
    assert found.command == "kubectl sluice resume --pause incident -n acme"


def test_an_old_pause_without_an_end_is_a_warning() -> None:
    old = pause(namespace="", by="alice")
    old["metadata"]["creationTimestamp"] = stamp(-2 * DAY - 1)
    [found] = pause_findings([pause_of(old)], NOW)
    assert found.severity == WARNING
    assert found.message == 'ClusterIngestPause by alice without an end holds for 2d ("vendor incident")'
    assert found.command == "kubectl sluice resume --pause incident --fleet"


def test_other_pauses_are_fine() -> None:
    young, bounded = pause(), pause("bounded", until=stamp(60))
    young["metadata"]["creationTimestamp"] = stamp(-DAY + 60)
    bounded["metadata"]["creationTimestamp"] = stamp(-3 * DAY)
    assert list(pause_findings([pause_of(young), pause_of(bounded)], NOW)) == []


def test_a_policy_that_only_warns_is_named_with_a_job_that_it_would_deny() -> None:
    metadata = {"name": "small"}
    denied = [{"job": "acme/a", "message": "too many symbols"}]
    warns = {"metadata": metadata, "spec": {"mode": "Warn"}, "status": {"deniedJobs": 1, "denied": denied}}
    [found] = policy_findings([warns, {"metadata": metadata, "spec": {"mode": "Enforce"}}])
    assert found.severity == WARNING
    assert found.message.endswith("it would deny 1 job, such as acme/a: too many symbols")
    [harmless] = policy_findings([{"metadata": metadata, "spec": {"mode": "Warn"}}])
    assert harmless.severity == NOTE
