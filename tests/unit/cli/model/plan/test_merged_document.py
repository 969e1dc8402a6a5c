import json

from sluice_cli.model.plan.merged_document import merged_document, with_defaults
from sluice_contract.kinds import INGEST_JOB
from sluice_contract.resource import decode_ingest_job

DOCUMENT = {"metadata": {"namespace": "acme", "name": "feed"}, "spec": {"tenant": "acme", "symbols": ["SPY"]}}
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def test_a_new_document_gets_the_defaults_of_the_schema() -> None:
    spec = merged_document(None, DOCUMENT)["spec"]
    assert (spec["channels"], spec["limits"]["writesPerSecond"], spec["heartbeat"]["document"]) == (
        ["quotes"], 20, "market_ingest",
    )  # fmt: skip
    assert "alpaca" not in spec
    assert DOCUMENT["spec"] == {"tenant": "acme", "symbols": ["SPY"]}


def test_the_defaults_are_those_of_the_contract() -> None:
    written = {"tenant": "acme", "provider": "alpaca", "alpaca": {}, "symbols": ["SPY"]}
    job = decode_ingest_job({"metadata": {"namespace": "acme", "name": "feed"}, "spec": written})
    filled = with_defaults(written)
    assert (filled["limits"]["burst"], filled["alpaca"]["feed"]) == (job.spec.limits.burst, "iex")
    assert filled["heartbeat"]["intervalSeconds"] == job.spec.heartbeat.interval_seconds
    assert INGEST_JOB.name == "IngestJob"


def test_an_apply_keeps_what_it_does_not_name_and_removes_what_it_named_before() -> None:
    last = {"spec": {"pause": {"reason": "a"}, "limits": {"burst": 9}}, "metadata": {"labels": {"old": "1"}}}
    live = {
        "metadata": {"annotations": {LAST_APPLIED: json.dumps(last)}, "labels": {"old": "1", "kept": "2"}},
        "spec": {
            "enabled": False, "pause": {"reason": "a"}, "limits": {"burst": 9, "writesPerSecond": 7}, "symbols": ["A"],
        },
    }  # fmt: skip
    document = {
        "metadata": {"labels": {"new": "3"}},
        "spec": {"symbols": ["B"], "limits": {"minIntervalMilliseconds": 5}},
    }
    found = merged_document(live, document)
    assert found["metadata"]["labels"] == {"kept": "2", "new": "3"}
    assert (found["spec"]["enabled"], found["spec"]["symbols"], "pause" in found["spec"]) == (False, ["B"], False)
    limits = found["spec"]["limits"]
    assert (limits["writesPerSecond"], limits["minIntervalMilliseconds"], limits["burst"]) == (7, 5, 40)


def test_a_null_removes_a_field_and_a_damaged_annotation_counts_as_absent() -> None:
    for annotation in ("{", "[1]"):
        live = {"metadata": {"annotations": {LAST_APPLIED: annotation}}, "spec": {"pause": {"reason": "a"}, "x": 1}}
        spec = merged_document(live, {"spec": {"pause": None}})["spec"]
        assert ("pause" in spec, spec["x"]) == (False, 1)
