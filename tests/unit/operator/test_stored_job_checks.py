"""What `sluice-operator check` prints about one stored job."""

from __future__ import annotations

from typing import Any

from sluice_operator.check_command import lines_about_job
from sluice_operator.domain.platform_bounds import PlatformBounds
from sluice_operator.domain.stored_job_checks import StoredJobFinding, fields_beyond_platform, findings_about_job

JOB: dict[str, Any] = {
    "metadata": {"namespace": "acme", "name": "feed"},
    "spec": {"tenant": "acme", "provider": "synthetic", "symbols": ["SPY"], "pause": {"reason": "r" * 257}},
    "status": {"podName": "p" * 254},
}


def test_a_line_names_the_job_and_the_field_and_says_what_to_do() -> None:
    assert lines_about_job(JOB, findings_about_job(JOB)) == [
        "acme/feed: spec.pause.reason: is not accepted in a new job; shorten it to at most 256 characters",
        "acme/feed: status.podName: is beyond its bound; nothing to do, because operator and pod write it again",
    ]


def test_only_fields_that_a_person_writes_need_an_action() -> None:
    assert [(each.field, each.needs_action) for each in findings_about_job(JOB)] == [
        ("spec.pause.reason", True),
        ("status.podName", False),
    ]


def test_further_checks_add_their_findings() -> None:
    finding = StoredJobFinding("spec.alpaca.streamURL", "is not allowed; use wss://stream.data.alpaca.markets")
    assert findings_about_job(JOB, (lambda _: [finding],)) == [finding]


def test_each_field_beyond_the_settings_of_the_platform_is_found() -> None:
    alpaca = {"credentialsSecretRef": {"name": "alpaca"}, "streamURL": "ws://a.example", "dataURL": "https://b.example"}
    pod = {"priorityClassName": "urgent", "labels": {"example.com/a": "b"}}
    spec = {"tenant": "acme", "provider": "alpaca", "symbols": ["SPY"], "alpaca": alpaca, "pod": pod}
    found = findings_about_job({**JOB, "spec": spec}, (fields_beyond_platform(PlatformBounds()),))
    assert [each.field for each in found] == [
        "spec.alpaca.streamURL",
        "spec.alpaca.dataURL",
        "spec.pod.priorityClassName",
        "spec.pod.labels",
    ]
    assert found[0].sentence.startswith(
        "gets no new pod; spec.alpaca.streamURL would send the credentials to ws://a.exam"
    )
    assert all(each.needs_action for each in found)


def test_a_spec_that_is_not_understood_has_no_field_beyond_the_settings() -> None:
    assert findings_about_job({**JOB, "spec": {"provider": 7}}, (fields_beyond_platform(PlatformBounds()),)) == []
