"""The series of each job: what they say, and that they are Prometheus' text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sluice_contract import conditions as c
from sluice_operator.domain import objects
from sluice_operator.domain.objects import Job
from sluice_operator.job_series import JobSeries, known_pause_end

from .fakes import Document
from .world import KEY, NOW, SYNTHETIC, World, job_of, live, pause

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]
JOB = {"namespace": KEY[0], "name": KEY[1]}


def samples(*jobs: Job, ends: Callable[[Job], datetime | None] = lambda _: None) -> Samples:
    text = b"".join(JobSeries(lambda: jobs, ends).text_parts()).decode()
    families = text_string_to_metric_families(text)
    return {(each.name, frozenset(each.labels.items())): each.value for family in families for each in family.samples}


def value(found: Samples, name: str, **labels: str) -> float | None:
    return found.get((f"sluice_ingestjob_{name}", frozenset((JOB | labels).items())))


def of_world(world: World) -> Samples:
    job = world.store.jobs.get(KEY)
    assert job is not None
    return samples(job, ends=lambda each: known_pause_end(world.store, each, NOW))


def job_with(*conditions: Document) -> Job:
    metadata = {"namespace": KEY[0], "name": KEY[1], "uid": "job-1", "generation": 1}
    of_all = {"message": "m", "lastTransitionTime": NOW.isoformat(), "observedGeneration": 1}
    status: dict[str, Any] = {"conditions": [of_all | each for each in conditions]}
    return objects.decode_job({"metadata": metadata, "spec": SYNTHETIC, "status": status})


async def test_a_job_that_streams(world: World) -> None:
    await live(world)
    found = of_world(world)
    assert value(found, "info", tenant="acme", provider="synthetic", document="market_ingest") == 1
    assert value(found, "status_condition", type="Streaming", status="True") == 1
    assert value(found, "status_condition", type="Streaming", status="False") == 0
    assert value(found, "ready_reason", reason="Streaming") == 1
    assert value(found, "heartbeat_timestamp_seconds") == NOW.timestamp()
    assert value(found, "epoch") == world.job.status.epoch
    assert value(found, "paused_since_timestamp_seconds") is None
    assert value(found, "pause_until_timestamp_seconds") is None


async def test_each_condition_is_0_in_both_statuses_before_the_first_reconciliation() -> None:
    found = samples(job_of(SYNTHETIC))
    for kind in c.ORDER:
        assert [value(found, "status_condition", type=kind, status=each) for each in ("True", "False")] == [0, 0]
        assert value(found, "status_condition", type=kind, status="Unknown") is None
    assert value(found, "heartbeat_timestamp_seconds") is None
    assert value(found, "epoch") is None


async def test_the_series_stay_when_the_pod_has_vanished(world: World) -> None:
    await live(world)
    world.cluster.pods.clear()
    world.store.pods.remove_delivered(KEY, world.store.pods.get(KEY).metadata.uid, 10**9)  # type: ignore[union-attr]
    await world.settle()
    found = of_world(world)
    assert value(found, "info", tenant="acme", provider="synthetic", document="market_ingest") == 1
    assert value(found, "status_condition", type="Streaming", status="True") == 0


async def test_a_paused_job_has_the_begin_and_the_end_of_its_pause(world: World) -> None:
    await live(world)
    end = NOW + timedelta(hours=1)
    world.cluster.declare(KEY, SYNTHETIC | {"pause": {"reason": "split", "until": end.isoformat()}})
    reported = pause("spec.pause")
    reported["pause"] |= {"until": end.isoformat()}
    await world.streams(**reported)
    found = of_world(world)
    assert value(found, "status_condition", type="Paused", status="True") == 1
    assert value(found, "paused_since_timestamp_seconds") == NOW.timestamp()
    assert value(found, "pause_until_timestamp_seconds") == end.timestamp()


@pytest.mark.parametrize("status", ["Unknown", "Perhaps"])
def test_a_status_that_is_neither_true_nor_false_is_unknown(status: str) -> None:
    found = samples(job_with({"type": "CredentialsValid", "status": status, "reason": "Waiting"}))
    each = {name: value(found, "status_condition", type="CredentialsValid", status=name) for name in ("True", "False")}
    assert each == {"True": 0, "False": 0}
    assert value(found, "status_condition", type="CredentialsValid", status="Unknown") == 1


def test_an_unacknowledged_pause_has_no_begin() -> None:
    found = samples(job_with({"type": "Paused", "status": "False", "reason": "Pausing"}))
    assert value(found, "paused_since_timestamp_seconds") is None
    assert value(found, "status_condition", type="Paused", status="False") == 1


def test_a_job_that_is_not_understood_has_series_too() -> None:
    found = samples(job_of({"tenant": 7}))
    assert value(found, "info", tenant="", provider="", document="") == 1


def test_the_values_of_labels_are_escaped() -> None:
    reason = 'a "b" \\ c\nd'
    found = samples(job_with({"type": "Ready", "status": "True", "reason": reason}))
    assert value(found, "ready_reason", reason=reason) == 1


def test_each_metric_has_help_and_a_type_even_without_jobs() -> None:
    text = b"".join(JobSeries(lambda: (), lambda _: None).text_parts()).decode()
    families = list(text_string_to_metric_families(text))
    assert len(families) == 7
    assert all(each.documentation and each.type == "gauge" for each in families)


def test_many_jobs_are_written_in_parts() -> None:
    jobs = [job_of(SYNTHETIC, f"job-{number}") for number in range(1000)]
    parts = list(JobSeries(lambda: jobs, lambda _: None).text_parts())
    assert len(parts) == 7 * (1 + 5)
    assert max(map(len, parts)) < 1_000_000
    assert len(samples(*jobs)) == 1000 * (1 + 2 * len(c.ORDER))
