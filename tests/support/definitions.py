"""Other versions of the CRD, for tests of what an upgrade does to stored jobs."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from sluice_contract.schema import custom_resource_definition
from sluice_devcluster.kubectl import Kubectl

Schema = dict[str, Any]
EARLIER = Path(__file__).with_name("definition_without_bounds.yaml")
_BOUNDS = (
    "maxLength", "maxItems", "maxProperties", "minItems", "pattern", "minimum", "maximum", "x-kubernetes-validations"
)  # fmt: skip


@contextmanager
def another_definition(kubectl: Kubectl, change: Callable[[dict[str, Any]], None]) -> Iterator[None]:
    """Install the CRD with a changed schema while the context lasts. `change` receives its top-level properties."""
    changed = custom_resource_definition()
    change(changed["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"])
    with installed(kubectl, changed):
        yield


@contextmanager
def installed(kubectl: Kubectl, definition: dict[str, Any]) -> Iterator[None]:
    """Install this CRD while the context lasts, then the present one again."""
    install(kubectl, definition)
    try:
        yield
    finally:
        install(kubectl, custom_resource_definition())


def earlier_definition() -> dict[str, Any]:
    """Return the CRD of an earlier version, which had no bounds in the status."""
    definition: dict[str, Any] = yaml.safe_load(EARLIER.read_text())
    return definition


def without_bounds(schema: Schema) -> Schema:
    """Return the schema without any bound, pattern or rule."""
    free = {name: copy.deepcopy(value) for name, value in schema.items() if name not in _BOUNDS}
    for name in ("items", "additionalProperties"):
        if name in free:
            free[name] = without_bounds(free[name])
    if "properties" in free:
        free["properties"] = {name: without_bounds(field) for name, field in free["properties"].items()}
    return free


def remove_bounds(properties: dict[str, Schema]) -> None:
    """Remove each bound of spec and status from the top-level properties of a schema."""
    for name in ("spec", "status"):
        properties[name] = without_bounds(properties[name])


def install(kubectl: Kubectl, definition: dict[str, Any]) -> None:
    """Install this CRD, and wait until the API server uses it."""
    text = json.dumps(definition)
    kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", text=text)
    time.sleep(1.0)  # The API server starts to use a new schema a moment later.
