"""Objects of responses in the informer cache: which are decoded, and that kopf continues a watch after each of them."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from sluice_operator import watch_delivery
from sluice_operator.domain import objects
from sluice_operator.domain.objects import Key
from sluice_operator.domain.reduced_documents import CLUSTER_PAUSES, EXPIRED, JOBS, PAUSES, PODS
from sluice_operator.informer_cache import ClusterState
from sluice_operator.watch_delivery import WatchDelivery
from support.every_key import EveryKey

from .pause_fakes import pause_document
from .world import KEY, SYNTHETIC


def job(version: str, uid: str = "job-1", **spec: Any) -> dict[str, Any]:
    meta = {"name": KEY[1], "namespace": KEY[0], "uid": uid, "resourceVersion": version, "generation": 1}
    return {"metadata": meta, "spec": SYNTHETIC | spec}


class Rig:
    """A cache, the keys that changed in it, and a delivery to it."""

    def __init__(self) -> None:
        self.changed: list[Key] = []
        self.store = ClusterState(EveryKey(self.changed.append))
        self._delivery = WatchDelivery(self.store)

    def deliver(self, change: str | None, document: dict[str, Any], kind: Any = JOBS) -> str:
        return self._delivery.deliver(kind, change, json.dumps(document).encode())


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.mark.parametrize("change", [None, "ADDED", "MODIFIED"])
def test_an_object_is_stored_and_its_version_returned(rig: Rig, change: str | None) -> None:
    assert rig.deliver(change, job("5")) == "5"
    assert rig.store.jobs.get(KEY) == objects.decode_job(job("5"))
    assert (rig.changed, rig.store.jobs.streamed, rig.store.jobs.deliveries) == ([KEY], {KEY: 5}, 1)


def test_a_deletion_removes_the_object_and_its_version_is_returned(rig: Rig) -> None:
    rig.deliver("ADDED", job("5"))
    assert rig.deliver("DELETED", job("6")) == "6"
    assert (rig.store.jobs.get(KEY), rig.store.jobs.streamed) == (None, {})


def test_the_event_of_a_known_version_is_not_decoded_and_counts_as_delivered(rig: Rig) -> None:
    known = objects.decode_job(job("7"))
    rig.store.jobs.put_if_newer(KEY, known)
    assert rig.store.jobs.undelivered_versions() == {KEY: 7}
    rig.deliver("MODIFIED", job("7") | {"spec": "not decoded"})
    assert rig.store.jobs.get(KEY) is known
    assert rig.store.jobs.undelivered_versions() == {}
    assert rig.changed == [KEY]


def test_an_older_event_changes_nothing_and_does_not_count_as_the_delivery_of_the_known_version(rig: Rig) -> None:
    rig.store.jobs.put_if_newer(KEY, objects.decode_job(job("7")))
    rig.deliver("MODIFIED", job("6", enabled=False))
    assert rig.store.jobs.undelivered_versions() == {KEY: 7}
    assert rig.changed == [KEY]


def test_another_object_of_the_same_name_and_version_is_decoded(rig: Rig) -> None:
    rig.deliver("ADDED", job("7"))
    rig.deliver("ADDED", job("8", uid="job-2", enabled=False))
    found = rig.store.jobs.get(KEY)
    assert found is not None
    assert (found.metadata.uid, found.stops.enabled) == ("job-2", False)


def test_each_kind_has_its_own_cache(rig: Rig) -> None:
    pod = {"metadata": {"name": f"{KEY[1]}-ingest", "namespace": KEY[0], "uid": "p", "resourceVersion": "3"}}
    rig.deliver("ADDED", pod, PODS)
    rig.deliver("ADDED", {"metadata": pod["metadata"] | {"name": "other"}}, PODS)
    assert list(rig.store.pods) == [KEY]
    rig.deliver("ADDED", pause_document((KEY[0], "a"), {}), PAUSES)
    rig.deliver("ADDED", pause_document(("", "b"), {}), CLUSTER_PAUSES)
    assert list(rig.store.pauses.namespaced) == [(KEY[0], "a")]
    assert list(rig.store.pauses.of_cluster) == [("", "b")]


def test_a_text_that_is_not_json_raises_a_decode_error(rig: Rig) -> None:
    with pytest.raises(msgspec.DecodeError):
        WatchDelivery(rig.store).deliver(JOBS, "ADDED", b"{")


def test_an_error_in_the_update_is_logged_and_the_watch_continues(
    monkeypatch: pytest.MonkeyPatch, rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(watch_delivery, "update_cache", fail)
    assert rig.deliver("ADDED", job("5")) == "5"
    assert caplog.messages == ["an event was not processed"]


@pytest.mark.parametrize("kind", [JOBS, PODS, PAUSES, CLUSTER_PAUSES], ids=lambda kind: kind.plural)
def test_after_a_watch_has_expired_only_what_is_listed_again_counts_as_delivered(rig: Rig, kind: Any) -> None:
    caches: dict[Any, Any] = {
        JOBS: rig.store.jobs,
        PODS: rig.store.pods,
        PAUSES: rig.store.pauses.namespaced,
        CLUSTER_PAUSES: rig.store.pauses.of_cluster,
    }
    for cache in caches.values():
        cache.streamed[KEY] = 5
    assert rig.deliver(EXPIRED, {}, kind) == ""
    assert {each: cache.streamed for each, cache in caches.items()} == {
        each: {} if each is kind else {KEY: 5} for each in caches
    }


def test_a_job_that_is_gone_after_the_expiry_of_its_watch_counts_as_undelivered(rig: Rig) -> None:
    rig.deliver("ADDED", job("5"))
    assert rig.store.jobs.undelivered_versions() == {}
    rig.deliver(EXPIRED, {})
    assert rig.store.jobs.undelivered_versions() == {KEY: 5}
    rig.deliver(None, job("5"))
    assert rig.store.jobs.undelivered_versions() == {}
