"""The volumes of an ingest pod."""

from __future__ import annotations

import msgspec
import pytest

from sluice_contract.replay import TAPE_DIR
from sluice_operator.domain import workload

from .world import PODS, SYNTHETIC, job_of

REPLAY = SYNTHETIC | {"provider": "replay", "replay": {"tape": {"configMapRef": {"name": "tape", "key": "day.csv"}}}}


def test_only_volumes_of_the_spec_are_mounted() -> None:
    pod = workload.pod_manifest(job_of(SYNTHETIC), 7, "cold", PODS)
    assert [each["name"] for each in pod["spec"]["volumes"]] == ["state"]
    assert [each["name"] for each in pod["spec"]["containers"][0]["volumeMounts"]] == ["state"]


def test_only_the_named_key_of_a_tape_is_mounted() -> None:
    [volume, _] = workload.pod_manifest(job_of(REPLAY), 7, "cold", PODS)["spec"]["volumes"]
    assert volume["configMap"] == {"name": "tape", "optional": True, "items": [{"key": "day.csv", "path": "day.csv"}]}


def test_a_tape_of_a_claim_is_mounted_read_only() -> None:
    tape = {"claimRef": {"name": "tapes", "path": "2013/10-07.csv.gz"}}
    pod = workload.pod_manifest(job_of(SYNTHETIC | {"provider": "replay", "replay": {"tape": tape}}), 7, "cold", PODS)
    [volume, _] = pod["spec"]["volumes"]
    assert volume == {"name": "tape", "persistentVolumeClaim": {"claimName": "tapes", "readOnly": True}}
    [mount, _] = pod["spec"]["containers"][0]["volumeMounts"]
    assert (mount["mountPath"], mount["readOnly"]) == (TAPE_DIR, True)


SECRETS = SYNTHETIC | {
    "provider": "alpaca",
    "alpaca": {"credentialsSecretRef": {"name": "alpaca"}},
    "firestore": {"credentialsSecretRef": {"name": "firestore"}},
    "http": {"tokenSecretRef": {"name": "ingest-http"}},
}


def test_a_job_whose_status_is_public_needs_no_secret() -> None:
    volumes = workload.pod_manifest(job_of(SYNTHETIC | {"http": {"public": True}}), 7, "cold", PODS)["spec"]["volumes"]
    assert [each["name"] for each in volumes] == ["state"]


@pytest.mark.parametrize(("user_ids_from_platform", "mode"), [(False, 0o440), (True, 0o444)])
def test_a_secret_can_be_read_without_knowing_the_pod_s_group_only_where_the_platform_chooses_it(
    user_ids_from_platform: bool, mode: int
) -> None:
    settings = msgspec.structs.replace(PODS, user_ids_from_platform=user_ids_from_platform)
    volumes = workload.pod_manifest(job_of(SECRETS), 7, "cold", settings)["spec"]["volumes"]
    modes = {each["name"]: each["secret"]["defaultMode"] for each in volumes if "secret" in each}
    assert modes == {"alpaca": mode, "firestore": mode, "http": mode}


def test_a_secret_s_volume_has_only_the_keys_of_its_use_and_none_is_required() -> None:
    volumes = workload.pod_manifest(job_of(SECRETS), 7, "cold", PODS)["spec"]["volumes"]
    secrets = {each["name"]: each["secret"] for each in volumes if "secret" in each}
    assert {name: [item["key"] for item in each["items"]] for name, each in secrets.items()} == {
        "alpaca": ["ALPACA_KEY_ID", "ALPACA_SECRET_KEY"],
        "firestore": ["credentials.json"],
        "http": ["token"],
    }
    assert all(item["key"] == item["path"] for each in secrets.values() for item in each["items"])
    assert all(each["optional"] for each in secrets.values())
