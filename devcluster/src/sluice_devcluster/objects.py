"""The objects that `up` creates in a new cluster, and those for which it waits."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from pathlib import Path

import yaml

from sluice_devcluster.api import APPLY, ApiClient, ApiError, Json
from sluice_devcluster.certificates import NODE_NAME
from sluice_devcluster.errors import DevclusterError

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
AUTHORIZATION = "/apis/rbac.authorization.k8s.io/v1"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{NODE_NAME}"
MANAGER = {"fieldManager": "devcluster", "force": "true"}
ESTABLISH_SECONDS = 30.0


def read_crds(directory: Path) -> list[Json]:
    """Return all CustomResourceDefinitions in a directory's YAML files; raise DevclusterError if there are none."""
    if not directory.is_dir():
        raise DevclusterError(f"--crds: {directory} is not a directory.")
    found: list[Json] = []
    for path in sorted([*directory.glob("*.yaml"), *directory.glob("*.yml")]):
        try:
            documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
        except yaml.YAMLError as error:
            raise DevclusterError(f"--crds: {path} is not YAML: {error}") from error
        found += [
            document
            for document in documents
            if isinstance(document, dict) and document.get("kind") == "CustomResourceDefinition"
        ]
    if not found:
        raise DevclusterError(f"--crds: no YAML file in {directory} holds a CustomResourceDefinition.")
    return found


async def apply_crds(client: ApiClient, directory: Path) -> int:
    """Apply the definitions of a directory, wait until they are established, and return their number.

    Raises DevclusterError if the API server refuses one, or if one is not established within 30 seconds.
    """
    definitions = await asyncio.to_thread(read_crds, directory)
    names = [str(definition["metadata"]["name"]) for definition in definitions]
    try:
        for name, definition in zip(names, definitions, strict=True):
            await client.patch(f"{DEFINITIONS}/{name}", definition, APPLY, MANAGER)
    except ApiError as error:
        raise DevclusterError(f"A custom resource definition was refused: {error.message}") from error
    deadline = time.monotonic() + ESTABLISH_SECONDS
    for name in names:
        while not _is_established(await client.get(f"{DEFINITIONS}/{name}")):
            if time.monotonic() > deadline:
                raise DevclusterError(f"The definition {name} was not established within {ESTABLISH_SECONDS:.0f} s.")
            await asyncio.sleep(0.05)
    return len(names)


async def grant_node_read_access(client: ApiClient) -> None:
    """Allow the node agent to watch all Secrets and ConfigMaps.

    The kubelet watches those that its pods name, one by one; a single watch of all keeps the agent small.
    """
    rule = {"apiGroups": [""], "resources": ["secrets", "configmaps"], "verbs": ["get", "list", "watch"]}
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "devcluster:node"},
        "rules": [rule],
    }
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "devcluster:node"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "devcluster:node"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": f"system:node:{NODE_NAME}"}],
    }
    await client.patch(f"{AUTHORIZATION}/clusterroles/devcluster:node", role, APPLY, MANAGER)
    await client.patch(f"{AUTHORIZATION}/clusterrolebindings/devcluster:node", binding, APPLY, MANAGER)


async def is_node_usable(client: ApiClient, since: dt.datetime) -> bool:
    """Return True if the node is Ready and the default namespace has its service account and root certificate.

    The node's lease must have been renewed since `since`, because a node stays Ready for a while after its agent has
    died.
    """
    try:
        lease = await client.get(LEASE)
        node = await client.get(f"/api/v1/nodes/{NODE_NAME}")
        await client.get("/api/v1/namespaces/default/serviceaccounts/default")
        await client.get("/api/v1/namespaces/default/configmaps/kube-root-ca.crt")
    except ApiError as error:
        if error.status == 404:
            return False
        raise
    renewed = dt.datetime.fromisoformat(lease["spec"]["renewTime"])
    return renewed >= since and _has_condition(node, "Ready")


def _is_established(definition: Json) -> bool:
    return _has_condition(definition, "Established")


def _has_condition(thing: Json, kind: str) -> bool:
    conditions = thing.get("status", {}).get("conditions") or ()
    return any(each["type"] == kind and each["status"] == "True" for each in conditions)
