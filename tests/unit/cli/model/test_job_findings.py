from typing import Any

import pytest

from sluice_cli.model.findings import NOTE, PROBLEM, WARNING, Finding
from sluice_cli.model.job import status_of_job
from sluice_cli.model.job_findings import job_findings
from sluice_cli.model.switches import PauseView
from support.fake_kubectl import NOW, condition, job, stamp


def findings(document: dict[str, Any]) -> list[Finding]:
    return list(job_findings(document, status_of_job(document, PauseView({}), NOW), NOW))


def test_a_job_that_streams_has_no_finding() -> None:
    assert findings(job()) == []


def test_a_stalled_job_has_the_remedy_of_its_reason() -> None:
    ready, stalled = (
        condition("Ready", "False", "SecretIncomplete", "no key"),
        condition("Stalled", "True", "SecretIncomplete", "no key"),
    )
    [found] = findings(job("feed", "acme", ready, stalled))
    assert (found.severity, found.about) == (PROBLEM, "acme/feed")
    assert found.message.endswith("no key")
    assert found.remedy.startswith("Create the Secret")
    assert found.command == "kubectl sluice status feed -n acme"


def test_a_silent_pod_is_a_problem() -> None:
    [found] = findings(job(heartbeat={"at": stamp(-90)}))
    assert (found.severity, found.message) == (PROBLEM, "Silent for 90s: The pod has not reported for 90s.")


@pytest.mark.parametrize(("seconds", "severity"), [(-10, NOTE), (-90, WARNING)])
def test_a_job_that_is_on_its_way_for_long_is_a_warning(seconds: float, severity: str) -> None:
    connecting = condition("Ready", "False", "Connecting", "connecting") | {"lastTransitionTime": stamp(seconds)}
    document = job("feed", "acme", connecting, state="Connecting")
    document["status"]["phase"] = "Connecting"
    [found] = findings(document)
    assert found.severity == severity


def test_rejected_symbols_are_named() -> None:
    rejections = [{"symbol": "TWTR", "code": 404, "message": "not found"}]
    [found] = findings(
        job(symbols={"live": "2/3", "desired": 2, "confirmed": 2, "rejected": 2, "rejections": rejections})
    )
    assert (found.severity, found.check) == (WARNING, "symbols")
    assert found.message == "the provider rejects 2 symbols: TWTR (404 not found) and 1 more"


@pytest.mark.parametrize(
    ("symbol", "severity", "said"),
    [(True, PROBLEM, "has the boolean true"), ("FALSE", WARNING, "has FALSE, which YAML makes of NO,")],
)
def test_a_symbol_that_yaml_reads_as_a_boolean_is_explained(symbol: Any, severity: str, said: str) -> None:
    document = job()
    document["spec"]["symbols"].append(symbol)
    [found] = findings(document)
    assert found.severity == severity
    assert said in found.message
    assert " in quotation marks, such as " in found.remedy


@pytest.mark.parametrize(("skew", "said"), [(7000, "7.0 s ahead of"), (-6500, "6.5 s behind")])
def test_a_clock_that_differs_from_that_of_the_provider_is_a_warning(skew: int, said: str) -> None:
    [found] = findings(job(clockSkewMilliseconds=skew))
    assert (found.severity, found.check) == (WARNING, "clock")
    assert said in found.message
    assert findings(job(clockSkewMilliseconds=4000)) == []


@pytest.mark.parametrize(("used", "count"), [(79, 0), (80, 1)])
def test_a_write_budget_near_its_end_is_a_warning(used: int, count: int) -> None:
    found = findings(job(writes={"used": used, "limit": 100}))
    assert [each.check for each in found] == ["budget"] * count


def test_a_policy_that_would_deny_the_job_is_a_warning() -> None:
    warned = condition("PolicyCompliant", "False", "PolicyWarned", "29 symbols are more than 10")
    [found] = findings(job("feed", "acme", condition("Ready", "True", "Streaming"), warned))
    assert (found.severity, found.message) == (WARNING, "PolicyCompliant: 29 symbols are more than 10")
    assert found.remedy.startswith("Change the value that the message names before the mode")
