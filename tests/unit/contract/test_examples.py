from typing import get_args

import msgspec.yaml
import pytest

from sluice_contract.examples import example_job, example_pauses, example_policy, examples_section
from sluice_contract.kinds import KINDS
from sluice_contract.pause_reading import read_cluster_pause_spec, read_pause_spec
from sluice_contract.policies import IngestPolicy
from sluice_contract.resource import decode_ingest_job
from sluice_contract.rules import messages_of_broken_rules
from sluice_contract.spec import Provider


@pytest.mark.parametrize("provider", get_args(Provider))
def test_the_example_of_a_provider_is_valid_and_is_in_the_section(provider: str) -> None:
    manifest = example_job(provider)
    job = decode_ingest_job(manifest)
    assert job.spec.provider == provider
    assert messages_of_broken_rules(job) == []
    assert msgspec.yaml.encode(manifest).decode() in examples_section()


@pytest.mark.parametrize("title", example_pauses())
def test_an_example_of_a_pause_is_understood(title: str) -> None:
    manifest = example_pauses()[title]
    read = read_pause_spec if manifest["kind"] == "IngestPause" else read_cluster_pause_spec
    assert read(manifest["spec"]).problem == ""


def test_each_kind_beside_the_job_has_an_example() -> None:
    examples = [*example_pauses().values(), example_policy()]
    assert {each["kind"] for each in examples} == {kind.name for kind in KINDS} - {"IngestJob"}


def test_the_example_of_a_policy_is_understood() -> None:
    assert msgspec.convert(example_policy(), IngestPolicy).spec.mode == "Warn"


def test_no_example_of_a_pause_has_an_end_that_can_have_passed() -> None:
    assert all("until" not in each["spec"] for each in example_pauses().values())
