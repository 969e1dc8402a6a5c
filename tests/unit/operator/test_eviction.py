"""The annotation for node autoscalers."""

from __future__ import annotations

from sluice_operator.domain import workload
from sluice_operator.domain.eviction import LOCAL_VOLUMES_ANNOTATION, with_local_volumes_annotation

from .world import PODS, SYNTHETIC, World, declared, job_of


def test_all_local_volumes_are_named_and_no_others() -> None:
    manifest = workload.pod_manifest(job_of(SYNTHETIC), 7, "cold", PODS)
    manifest["spec"]["volumes"] += [{"name": "scratch", "emptyDir": {}}, {"name": "key", "secret": {}}]
    annotations = with_local_volumes_annotation(manifest)["metadata"]["annotations"]
    assert annotations[LOCAL_VOLUMES_ANNOTATION] == "state,scratch"
    assert annotations.items() >= manifest["metadata"]["annotations"].items()
    assert LOCAL_VOLUMES_ANNOTATION not in manifest["metadata"]["annotations"]


def test_the_value_that_the_job_declares_takes_precedence() -> None:
    spec = SYNTHETIC | {"pod": {"annotations": {LOCAL_VOLUMES_ANNOTATION: ""}}}
    manifest = with_local_volumes_annotation(workload.pod_manifest(job_of(spec), 7, "cold", PODS))
    assert manifest["metadata"]["annotations"][LOCAL_VOLUMES_ANNOTATION] == ""


async def test_each_created_pod_has_the_annotation_and_a_pod_without_it_is_not_replaced(world: World) -> None:
    await declared(world)
    pod = world.cluster.pods["acme", "us-equities-ingest"]
    assert pod["metadata"]["annotations"].pop(LOCAL_VOLUMES_ANNOTATION) == "state"
    world.cluster.change("pods", pod)
    await world.settle()
    assert world.cluster.writes.count("delete") == 0
