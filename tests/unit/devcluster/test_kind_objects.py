"""The objects that `make up CLUSTER=kind` applies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from sluice_devcluster.kind_cluster import EMULATOR_NODE_PORT
from sluice_devcluster.kind_objects import emulator_image, emulator_objects, operator_objects

OVERLAY = Path(__file__).resolve().parents[3] / "manifests/overlays/kind"


@pytest.fixture
def documents() -> list[dict[str, Any]]:
    """The emulator of the overlay, and the operator's Deployment of the base."""
    emulator = list(yaml.safe_load_all((OVERLAY / "firestore-emulator.yaml").read_text()))
    operator = yaml.safe_load((OVERLAY.parent.parent / "base/operator-deployment.yaml").read_text())
    return [operator, *emulator]


def named(documents: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    [found] = [each for each in documents if each["kind"] == kind]
    return found


def test_the_emulator_is_reached_from_this_machine_and_has_the_rules(documents: list[dict[str, Any]]) -> None:
    found = emulator_objects(documents, "rules_version = '2';")
    assert [each["kind"] for each in found] == ["Namespace", "ConfigMap", "Service", "Deployment"]
    service = named(found, "Service")["spec"]
    assert (service["type"], service["ports"][0]["nodePort"]) == ("NodePort", EMULATOR_NODE_PORT)
    assert named(found, "ConfigMap")["data"] == {"firestore.rules": "rules_version = '2';"}
    pod = named(found, "Deployment")["spec"]["template"]["spec"]
    assert pod["containers"][0]["command"][-1] == "--rules=/rules/firestore.rules"
    assert pod["containers"][0]["image"] == "firestore-emulator"
    assert {"name": "rules", "configMap": {"name": "firestore-rules"}} in pod["volumes"]


def test_the_image_of_the_emulator_can_be_another(documents: list[dict[str, Any]]) -> None:
    assert emulator_image(documents) == "firestore-emulator"
    found = emulator_objects(documents, "", "mirror/emulator:1")
    assert emulator_image(found) == "mirror/emulator:1"


def test_the_operator_and_its_pods_have_the_images_of_the_sources(documents: list[dict[str, Any]]) -> None:
    [operator] = operator_objects(documents, "sluice-operator:a", "sluice-runtime:b")
    [container] = operator["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "sluice-operator:a"
    assert {"name": "SLUICE_RUNTIME_IMAGE", "value": "sluice-runtime:b"} in container["env"]
