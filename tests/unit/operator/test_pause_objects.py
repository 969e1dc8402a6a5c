"""Pauses as the operator reads them: which jobs they cover, and until when."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from sluice_contract.providers import feed_of_spec
from sluice_operator.domain.pause_objects import PauseObject, order_of_authority
from sluice_operator.domain.reduced_documents import CLUSTER_PAUSES, PAUSES, decode_object_version

from .fakes import Document
from .pause_fakes import decoded_pause, pause_document, pause_object
from .world import KEY, NOW, SYNTHETIC, job_of

ALPACA: Document = {
    "tenant": "acme",
    "provider": "alpaca",
    "symbols": ["AAPL"],
    "alpaca": {"feed": "sip", "credentialsSecretRef": {"name": "alpaca"}},
}
FLEET = ("", "fleet")


def cluster_pause(**spec: object) -> PauseObject:
    return pause_object(FLEET, spec)


@pytest.mark.parametrize(
    ("spec", "is_covered"),
    [
        ({"jobs": [KEY[1]]}, True),
        ({"jobs": ["other"]}, False),
        ({"jobSelector": {}}, True),
        ({"jobSelector": {"matchLabels": {"desk": "us"}}}, False),
        ({"jobs": "us-equities"}, True),
        ({}, True),
    ],
)
def test_a_pause_covers_the_jobs_of_its_namespace_that_it_names_or_could_mean(spec: Document, is_covered: bool) -> None:
    job = job_of(SYNTHETIC)
    assert pause_object(("acme", "p"), spec).covers_job(job) is is_covered
    assert not pause_object(("beta", "p"), spec).covers_job(job)


@pytest.mark.parametrize(
    ("providers", "is_covered"),
    [
        (None, True),
        ([{"name": "alpaca"}], True),
        ([{"name": "alpaca", "feeds": ["sip"]}], True),
        ([{"name": "alpaca", "feeds": ["iex"]}], False),
        ([{"name": "ibkr"}], False),
        ("alpaca", True),
    ],
)
def test_a_cluster_pause_covers_the_jobs_of_its_providers_and_feeds(providers: object, is_covered: bool) -> None:
    spec = {"providers": providers} if providers is not None else {}
    assert cluster_pause(**spec).covers_job(job_of(ALPACA)) is is_covered


def test_a_job_that_is_not_understood_is_covered_by_each_cluster_pause() -> None:
    job = job_of(ALPACA | {"channels": ["depth"]})
    assert cluster_pause(providers=[{"name": "ibkr"}]).covers_job(job)


def test_a_job_without_settings_has_the_default_feed() -> None:
    job = job_of(ALPACA)
    assert job.spec is not None
    assert feed_of_spec(job.spec) == "sip"
    assert feed_of_spec(msgspec.structs.replace(job.spec, alpaca=None)) == "iex"
    synthetic = job_of(SYNTHETIC)
    assert synthetic.spec is not None
    assert feed_of_spec(synthetic.spec) is None


def test_a_pause_is_in_force_before_its_end() -> None:
    pause = cluster_pause(until=(NOW + timedelta(seconds=1)).isoformat())
    assert pause.is_in_force(NOW)
    assert not pause.is_in_force(NOW + timedelta(seconds=1))
    assert cluster_pause(until="tomorrow").is_in_force(NOW + timedelta(days=9999))


def test_pauses_of_the_cluster_come_first() -> None:
    pauses = [pause_object(("acme", "a"), {}), pause_object(("", "z"), {}), pause_object(("", "b"), {})]
    assert [each.source for each in sorted(pauses, key=order_of_authority)] == [
        "clusterpause:b",
        "clusterpause:z",
        "pause:a",
    ]


@pytest.mark.parametrize("key", [("acme", "p"), FLEET])
@pytest.mark.parametrize("spec", [{}, {"jobs": 7, "until": "soon"}, {"symbols": ["AAPL"], "by": "alice"}])
@pytest.mark.parametrize("status", [{}, {"acknowledged": 7}, {"acknowledged": "1/1", "conditions": [{"type": "x"}]}])
def test_a_reduced_pause_is_read_as_the_same_object(key: tuple[str, str], spec: Document, status: Document) -> None:
    kind = PAUSES if key[0] else CLUSTER_PAUSES
    document = pause_document(key, spec) | {"status": status}
    text = msgspec.json.encode(document)
    assert kind.decode(text) == decoded_pause(document)
    version = decode_object_version(text)
    assert (version.namespace, version.name) == key
