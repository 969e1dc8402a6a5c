import msgspec

from sluice_contract.label_selector import LabelSelector
from sluice_contract.pauses import ClusterIngestPause, ClusterIngestPauseSpec, IngestPause, IngestPauseSpec
from sluice_contract.provider_feeds import ProviderFeeds


def test_a_pause_by_name_covers_the_named_jobs() -> None:
    pause = IngestPauseSpec(jobs=["us", "eu"], reason="incident")
    assert pause.covers_job("us", {})
    assert not pause.covers_job("asia", {"team": "rates"})


def test_a_pause_by_label_covers_the_selected_jobs() -> None:
    pause = IngestPauseSpec(job_selector=LabelSelector(match_labels={"team": "rates"}), reason="incident")
    assert pause.covers_job("asia", {"team": "rates"})
    assert not pause.covers_job("us", {})


def test_a_pause_with_an_empty_selector_covers_every_job() -> None:
    assert IngestPauseSpec(job_selector=LabelSelector(), reason="incident").covers_job("us", {})


def test_a_pause_without_names_and_selector_covers_every_job() -> None:
    assert IngestPauseSpec(reason="incident").covers_job("us", {})


def test_a_pause_with_both_covers_the_named_and_the_selected_jobs() -> None:
    pause = IngestPauseSpec(jobs=["us"], job_selector=LabelSelector(match_labels={"a": "b"}), reason="incident")
    assert pause.covers_job("us", {})
    assert pause.covers_job("eu", {"a": "b"})
    assert not pause.covers_job("eu", {})


def test_a_cluster_pause_covers_every_feed_or_those_that_it_names() -> None:
    assert ClusterIngestPauseSpec(reason="incident").covers_feed("replay", None)
    pause = ClusterIngestPauseSpec(reason="incident", providers=[ProviderFeeds(name="synthetic", feeds=["sip"])])
    assert pause.covers_feed("synthetic", "sip")
    assert not pause.covers_feed("synthetic", "iex")
    assert not pause.covers_feed("replay", None)


def test_an_empty_selector_is_kept_when_the_spec_is_encoded() -> None:
    pause = IngestPauseSpec(job_selector=LabelSelector(), reason="incident")
    assert msgspec.to_builtins(pause) == {"jobSelector": {}, "reason": "incident"}
    assert msgspec.convert(msgspec.to_builtins(pause), IngestPauseSpec) == pause


def test_the_objects_are_decoded_from_documents() -> None:
    metadata = {"name": "incident", "namespace": "acme", "labels": {"team": "rates"}}
    pause = msgspec.convert({"metadata": metadata, "spec": {"jobs": ["us"], "reason": "r"}}, IngestPause)
    assert (pause.metadata.labels, pause.spec.jobs, pause.status.waiting_for) == ({"team": "rates"}, ["us"], [])
    document = {"metadata": {"name": "incident"}, "spec": {"reason": "r", "by": "alice"}}
    cluster_pause = msgspec.convert(document, ClusterIngestPause)
    assert (cluster_pause.spec.by, cluster_pause.status.acknowledged) == ("alice", None)
