"""The objects of manifests/overlays/kind, changed for the kind cluster of `make up`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sluice_devcluster.kind_cluster import EMULATOR_NODE_PORT

EMULATOR = "firestore-emulator"
_RULES_FILE = "firestore.rules"
_RULES_FOLDER = "/rules"

Document = dict[str, Any]


def emulator_objects(documents: Iterable[Document], rules: str, image: str = "") -> list[Document]:
    """Return the emulator's objects: with the security rules, and with a Service that this machine reaches.

    `rules` is the text of the rules; `image` replaces the image of the manifests unless it is empty.
    """
    found = [each for each in documents if _is_of_emulator(each)]
    for document in found:
        if document["kind"] == "Service":
            document["spec"]["type"] = "NodePort"
            document["spec"]["ports"][0]["nodePort"] = EMULATOR_NODE_PORT
        if document["kind"] == "Deployment":
            _mount_rules(document["spec"]["template"]["spec"])
            container = _only_container(document)
            container["image"] = image or container["image"]
    namespaces = [each for each in found if each["kind"] == "Namespace"]
    others = [each for each in found if each["kind"] != "Namespace"]
    metadata = {"name": "firestore-rules", "namespace": EMULATOR}
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {_RULES_FILE: rules}}
    return [*namespaces, config_map, *others]


def operator_objects(documents: Iterable[Document], operator_image: str, runtime_image: str) -> list[Document]:
    """Return all other objects, with these images of the operator and of the pods that it creates."""
    found = [each for each in documents if not _is_of_emulator(each)]
    for document in found:
        if document["kind"] == "Deployment":
            container = _only_container(document)
            container["image"] = operator_image
            [setting] = [each for each in container["env"] if each["name"] == "SLUICE_RUNTIME_IMAGE"]
            setting["value"] = runtime_image
    return found


def emulator_image(documents: Iterable[Document]) -> str:
    """Return the image of the emulator in these objects."""
    [deployment] = [each for each in documents if each["kind"] == "Deployment" and _is_of_emulator(each)]
    return str(_only_container(deployment)["image"])


def _is_of_emulator(document: Document) -> bool:
    metadata = document["metadata"]
    return EMULATOR in (metadata["name"], metadata.get("namespace"))


def _only_container(deployment: Document) -> Document:
    containers: list[Document] = deployment["spec"]["template"]["spec"]["containers"]
    [container] = containers
    return container


def _mount_rules(pod: Document) -> None:
    [container] = pod["containers"]
    container["command"] = [*container["command"], f"--rules={_RULES_FOLDER}/{_RULES_FILE}"]
    mount = {"name": "rules", "mountPath": _RULES_FOLDER, "readOnly": True}
    container["volumeMounts"] = [*container["volumeMounts"], mount]
    pod["volumes"] = [*pod["volumes"], {"name": "rules", "configMap": {"name": "firestore-rules"}}]
