"""The cold hash: every cold field changes it and no hot field does, and the hash of existing jobs stays as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec.yaml
import pytest

from sluice_operator.domain import workload
from support.schema_values import Path as Place
from support.spec_changes import EVERY_FIELD, changed_specs, is_hot, spec_places

from .world import PODS, job_of

GOLDEN: list[dict[str, Any]] = msgspec.yaml.decode((Path(__file__).parents[2] / "golden/cold-hashes.yaml").read_bytes())
PLACES = dict(spec_places())


def cold_hash(spec: dict[str, Any]) -> str:
    return workload.cold_hash(job_of(spec), PODS)


@pytest.mark.parametrize("job", GOLDEN, ids=lambda job: job["name"])
def test_the_hash_of_an_existing_job_stays_the_same(job: dict[str, Any]) -> None:
    assert cold_hash(job["spec"]) == job["hash"]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
def test_each_cold_field_changes_the_hash_and_each_hot_field_leaves_it_the_same(place: Place) -> None:
    changed = list(changed_specs(place, PLACES[place]))
    assert changed, "no value was tried"
    before = cold_hash(EVERY_FIELD)
    assert [spec for spec in changed if (cold_hash(spec) == before) != is_hot(place)] == []
