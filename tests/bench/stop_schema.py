"""A CustomResourceDefinition of a newer version: it allows values that neither image knows."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bench.stop_jobs import BenchCluster, collection_path
from sluice_contract import identity
from sluice_devcluster.api import APPLY, MERGE, ApiError
from sluice_devcluster.objects import DEFINITIONS
from support.eventually import eventually

UNKNOWN_CHANNEL = "depth"
UNKNOWN_PHASE = "Hibernating"
UNKNOWN_FAILURE = "hibernation"
_PATH = f"{DEFINITIONS}/{identity.PLURAL}.{identity.GROUP}"
_TENANT = "probe"
_NAMESPACE = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": _TENANT, "labels": {identity.TENANT_LABEL: _TENANT}},
}
_PROBE = {
    "apiVersion": identity.API_VERSION,
    "kind": identity.KIND,
    "metadata": {"name": "probe", "namespace": _TENANT},
    "spec": {"tenant": _TENANT, "provider": "synthetic", "symbols": ["SPY"], "channels": ["quotes", UNKNOWN_CHANNEL]},
}


@asynccontextmanager
async def loosened_definition(cluster: BenchCluster) -> AsyncIterator[None]:
    """Make the API server accept one more value in an enumeration of the spec and in two of the status."""
    await cluster.api.patch(f"/api/v1/namespaces/{_TENANT}", _NAMESPACE, APPLY, {"fieldManager": "bench"})
    original = (await cluster.api.get(_PATH))["spec"]["versions"]
    changed = copy.deepcopy(original)
    for version in changed:
        _loosen(version["schema"]["openAPIV3Schema"]["properties"])
    try:
        await _install(cluster, changed, takes_unknown_values=True)
        yield
    finally:
        await _install(cluster, original, takes_unknown_values=False)


def _loosen(fields: dict[str, Any]) -> None:
    spec, status = fields["spec"]["properties"], fields["status"]["properties"]
    _allow(spec["channels"]["items"], UNKNOWN_CHANNEL)
    _allow(status["phase"], UNKNOWN_PHASE)
    _allow(status["stream"]["properties"]["failure"]["properties"]["type"], UNKNOWN_FAILURE)


def _allow(schema: dict[str, Any], value: str) -> None:
    """Add a value to an enumeration. A schema without an enumeration already allows it."""
    if "enum" in schema:
        schema["enum"].append(value)


async def _install(cluster: BenchCluster, versions: list[dict[str, Any]], *, takes_unknown_values: bool) -> None:
    await cluster.api.patch(_PATH, {"spec": {"versions": versions}}, MERGE)

    async def is_in_force() -> bool:
        try:
            await cluster.api.post(f"{collection_path(_TENANT)}?dryRun=All", _PROBE)
        except ApiError as error:
            if error.status != 422:
                raise
            return not takes_unknown_values
        return takes_unknown_values

    await eventually(is_in_force, 30)
