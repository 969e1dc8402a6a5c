import msgspec
import pytest

from sluice_contract import identity
from sluice_contract.identity import InjectedJob, pod_name
from sluice_contract.spec import IngestJobSpec


def test_the_longest_job_name_leaves_its_pod_a_valid_one() -> None:
    assert len(pod_name("n" * identity.MAX_JOB_NAME_LENGTH)) == 63


def test_a_job_is_unchanged_after_its_way_into_the_pod() -> None:
    spec = IngestJobSpec(tenant="acme", provider="synthetic", symbols=["AAPL"], enabled=False)
    job = InjectedJob(namespace="n", name="j", uid="u", generation=3, epoch=7, project_id="demo", spec=spec)
    assert msgspec.json.decode(msgspec.json.encode(job), type=InjectedJob) == job


def test_a_job_of_another_release_s_format_is_rejected() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"namespace": "n"}', type=InjectedJob)
