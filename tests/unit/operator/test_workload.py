"""The pod and its account, as they are sent to the API server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import msgspec.yaml
import pytest

from sluice_contract import identity
from sluice_contract.identity import InjectedJob
from sluice_contract.spec import with_default_hot_fields
from sluice_operator.domain import workload
from sluice_operator.domain.eviction import with_local_volumes_annotation

from .world import PODS, SYNTHETIC, job_of

GOLDEN = Path(__file__).parent.parent.parent / "golden"
EVERYTHING = SYNTHETIC | {
    "provider": "alpaca",
    "alpaca": {"credentialsSecretRef": {"name": "alpaca"}, "caConfigMapRef": {"name": "proxy-ca"}},
    "firestore": {"projectID": "acme-prod", "credentialsSecretRef": {"name": "firestore"}},
    "http": {"tokenSecretRef": {"name": "ingest-http"}},
}


@pytest.mark.parametrize(("name", "spec"), [("pod-default", SYNTHETIC), ("pod-alpaca", EVERYTHING)])
def test_the_pod_equals_the_golden_file(name: str, spec: dict[str, Any]) -> None:
    golden = msgspec.yaml.decode((GOLDEN / f"{name}.yaml").read_bytes())
    manifest = workload.pod_manifest(job_of(spec), 7, "0123456789abcdef", PODS)
    assert with_local_volumes_annotation(manifest) == golden


def test_the_account_equals_the_golden_file() -> None:
    built = [workload.service_account_manifest("acme"), workload.role_binding_manifest("acme")]
    assert built == msgspec.yaml.decode((GOLDEN / "account.yaml").read_bytes())


def test_building_the_pod_twice_gives_equal_pods() -> None:
    job = job_of(EVERYTHING)
    assert workload.pod_manifest(job, 7, "cold", PODS) == workload.pod_manifest(job, 7, "cold", PODS)


def test_a_pod_names_no_user_and_no_group_where_the_platform_chooses_them() -> None:
    chosen_by_platform = msgspec.structs.replace(PODS, user_ids_from_platform=True)
    own, platform = (
        workload.pod_manifest(job_of(EVERYTHING), 7, "cold", each)["spec"] for each in (PODS, chosen_by_platform)
    )
    assert platform["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    ids = {"runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532}
    assert own["securityContext"] == platform["securityContext"] | ids


def test_who_chooses_the_user_id_replaces_no_pod() -> None:
    chosen_by_platform = msgspec.structs.replace(PODS, user_ids_from_platform=True)
    assert workload.cold_hash(job_of(EVERYTHING), chosen_by_platform) == workload.cold_hash(job_of(EVERYTHING), PODS)


def test_a_priority_class_is_set_only_if_the_platform_has_one() -> None:
    prior = msgspec.structs.replace(PODS, priority_class="feeds")
    specs = [workload.pod_manifest(job_of(SYNTHETIC), 7, "cold", each)["spec"] for each in (PODS, prior)]
    assert specs[1]["priorityClassName"] == "feeds"
    assert "priorityClassName" not in specs[0]


PLACED = {
    "resources": {"requests": {"cpu": "1", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
    "nodeSelector": {"pool": "feeds"},
    "tolerations": [{"key": "feeds", "operator": "Exists", "effect": "NoSchedule"}],
    "priorityClassName": "feeds",
    "imagePullSecrets": [{"name": "registry"}],
    "env": [{"name": "LOG_LEVEL", "value": "debug"}],
    "labels": {"desk": "options"},
    "annotations": {"note": "any text"},
}


def test_the_pod_has_the_placement_and_the_resources_of_its_job() -> None:
    pod = workload.pod_manifest(job_of(SYNTHETIC | {"pod": PLACED}), 7, "cold", PODS)
    [container] = pod["spec"]["containers"]
    for field in ("nodeSelector", "tolerations", "priorityClassName", "imagePullSecrets"):
        assert pod["spec"][field] == PLACED[field]
    assert container["resources"] == PLACED["resources"]
    assert container["env"][-1] == {"name": "LOG_LEVEL", "value": "debug"}
    assert (pod["metadata"]["labels"]["desk"], pod["metadata"]["annotations"]["note"]) == ("options", "any text")
    assert pod["metadata"]["labels"][identity.TENANT_LABEL] == "acme"


def test_the_job_s_priority_class_takes_precedence_over_the_platform_s() -> None:
    prior = msgspec.structs.replace(PODS, priority_class="others")
    assert (
        workload.pod_manifest(job_of(SYNTHETIC | {"pod": PLACED}), 7, "cold", prior)["spec"]["priorityClassName"]
        == "feeds"
    )


def test_the_emulator_is_in_the_environment_only_if_there_is_one() -> None:
    emulated = msgspec.structs.replace(PODS, firestore_emulator_host="127.0.0.1:8900")
    names = [
        [
            entry["name"]
            for entry in workload.pod_manifest(job_of(SYNTHETIC), 7, "cold", each)["spec"]["containers"][0]["env"]
        ]
        for each in (PODS, emulated)
    ]
    assert ("FIRESTORE_EMULATOR_HOST" in names[0], "FIRESTORE_EMULATOR_HOST" in names[1]) == (False, True)


def test_the_proxies_of_the_operator_s_settings_are_in_the_environment_and_change_the_hash() -> None:
    proxied = msgspec.structs.replace(PODS, proxies=(workload.ProxyVariable("HTTPS_PROXY", "http://proxy:3128"),))
    environment = workload.pod_manifest(job_of(SYNTHETIC), 7, "cold", proxied)["spec"]["containers"][0]["env"]
    assert {"name": "HTTPS_PROXY", "value": "http://proxy:3128"} in environment
    assert workload.cold_hash(job_of(SYNTHETIC), proxied) != workload.cold_hash(job_of(SYNTHETIC), PODS)


def test_a_proxy_of_a_tenant_does_not_reach_the_pod() -> None:
    env = [{"name": "https_proxy", "value": "http://evil:1"}, {"name": "LOG_LEVEL", "value": "debug"}]
    manifest = workload.pod_manifest(job_of(SYNTHETIC | {"pod": {"env": env}}), 7, "cold", PODS)
    assert "evil" not in str(manifest)
    assert manifest["spec"]["containers"][0]["env"][-1] == {"name": "LOG_LEVEL", "value": "debug"}


def test_the_pod_gets_its_job_as_one_document() -> None:
    environment = workload.pod_manifest(job_of(EVERYTHING), 7, "cold", PODS)["spec"]["containers"][0]["env"]
    [entry] = [each for each in environment if each["name"] == identity.JOB_ENV]
    injected = msgspec.json.decode(entry["value"], type=InjectedJob)
    assert (injected.name, injected.epoch, injected.project_id) == ("us-equities", 7, "acme-prod")
    declared = job_of(EVERYTHING).spec
    assert declared is not None
    assert injected.spec == with_default_hot_fields(declared)


def test_the_environment_stays_small_with_the_largest_job_that_the_schema_accepts() -> None:
    names = [f"{'S' * 15}{number:04d}" for number in range(2000)]
    pauses = [{"symbol": name, "reason": "r" * 256} for name in names[:200]]
    largest = SYNTHETIC | {"symbols": names, "pausedSymbols": pauses}
    environment = workload.pod_manifest(job_of(largest), 7, "cold", PODS)["spec"]["containers"][0]["env"]
    [value] = [each["value"] for each in environment if each["name"] == identity.JOB_ENV]
    assert len(value) < 300
    assert workload.cold_hash(job_of(largest), PODS) == workload.cold_hash(job_of(SYNTHETIC), PODS)


def test_another_image_changes_the_hash() -> None:
    newer = msgspec.structs.replace(PODS, image="sluice-runtime:0.2.0")
    assert workload.cold_hash(job_of(SYNTHETIC), newer) != workload.cold_hash(job_of(SYNTHETIC), PODS)


def test_an_explicit_default_does_not_change_the_hash() -> None:
    spelled = SYNTHETIC | {"synthetic": {"seed": 1, "quotesPerSecond": 5}, "firestore": {"database": "(default)"}}
    assert workload.cold_hash(job_of(spelled), PODS) == workload.cold_hash(job_of(SYNTHETIC | {"synthetic": {}}), PODS)
