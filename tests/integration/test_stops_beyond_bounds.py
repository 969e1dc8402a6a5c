"""A stop takes effect on a job whose stored document breaks every bound of the present schema."""

from __future__ import annotations

import copy
import json
import os
import signal
from typing import Any

import pytest

from sluice_contract.schema import open_api_schema
from sluice_devcluster.kubectl import Kubectl
from support import schema_values
from support.definitions import another_definition, earlier_definition, installed, remove_bounds
from support.operator_replicas import no_operator
from support.overlong_values import broken_bounds
from support.schema_values import Path as Place
from support.site import Tenant, eventually
from support.stop_checks import (
    is_confirmed,
    is_paused,
    pod_of,
    refuses_status_of_invalid_job,
    stream_from,
)
from support.stop_requests import REQUESTS, Request, by_patch, by_replace
from support.upstream import Upstream

SCHEMA = open_api_schema()["properties"]
WAYS = REQUESTS | {"replace": by_replace}
STOP_FIELDS = ("pause", "pausedSymbols")
TIME = "2026-11-23T14:00:00Z"
LONG_TIME = f"2030-11-23T14:00:00.{'1' * 40}Z"
# One of each field that has a bound, beside those of a job that streams from Alpaca.
MORE: dict[str, Any] = {
    "sessions": ["regular"],
    "http": {"tokenSecretRef": {"name": "http"}},
    "firestore": {"projectID": "p", "liveQuotesCollection": "c", "credentialsSecretRef": {"name": "firestore"}},
    "heartbeat": {"document": "d"},
    "pod": {
        "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}},
        "nodeSelector": {"a": "b"},
        "tolerations": [{"key": "a", "operator": "Exists", "value": ""}],
        "imagePullSecrets": [{"name": "a"}],
        "env": [{"name": "LOG_LEVEL", "value": "info"}],
        "labels": {"a": "b"},
        "annotations": {"a": "b"},
        "priorityClassName": "p",
    },
}
STOPS: dict[str, Any] = {
    "pause": {"reason": "a", "until": TIME},
    "pausedSymbols": [{"symbol": "SPY", "reason": "a", "until": TIME}],
}


def beyond_bounds(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the spec with each text, list and map beyond its bound, except those whose values are listed (enum)."""
    changed = copy.deepcopy(spec)
    for place, field in schema_values.places({"properties": SCHEMA["spec"]["properties"]}):
        pair = schema_values.values_at_and_over_bound(field)
        if pair is not None and not _values_are_listed(field) and _has(changed, place):
            _set(changed, place, pair[1])
    return changed


def _values_are_listed(field: dict[str, Any]) -> bool:
    """Return whether the values of a text, or of the items of a list, or of their keys, are listed (enum)."""
    items = field.get("items", {})
    keys = [items["properties"][key] for key in field.get("x-kubernetes-list-map-keys", ())]
    return any("enum" in each for each in (field, items, *keys))


def _has(document: Any, place: Place) -> bool:
    for step in place:
        try:
            document = document[step]
        except (LookupError, TypeError):
            return False
    return True


def _set(document: Any, place: Place, value: Any) -> None:
    for step in place[:-1]:
        document = document[step]
    document[place[-1]] = value


def store(kubectl: Kubectl, tenant: Tenant, change: dict[str, Any]) -> None:
    """Change fields of the spec under a definition that has no bounds."""
    with another_definition(kubectl, remove_bounds):
        by_patch(kubectl, tenant.job(), change)


@pytest.mark.parametrize("request_stop", WAYS.values(), ids=WAYS)
def test_a_stop_works_on_a_streaming_job_that_breaks_every_bound_of_the_spec(
    tenant: Tenant, kubectl: Kubectl, upstream: Upstream, request_stop: Request
) -> None:
    stream_from(tenant, upstream)
    change = beyond_bounds(MORE | tenant.job()["spec"])
    assert len(list(broken_bounds(SCHEMA["spec"], change, "spec"))) > 20
    store(kubectl, tenant, change)
    no_status = refuses_status_of_invalid_job(kubectl)
    eventually(lambda: no_status or tenant.condition("Ready") == ("False", "SpecNotUnderstood"))
    assert len(upstream.open_connections) == 1
    request_stop(kubectl, tenant.job(), {"enabled": False})
    # The change of the CRD has ended all watches, so pod and operator may first have to watch again.
    eventually(lambda: not upstream.open_connections, 10)
    eventually(lambda: no_status or is_paused(tenant))


@pytest.mark.parametrize("request_stop", WAYS.values(), ids=WAYS)
def test_a_pause_beyond_its_bounds_pauses_and_enabled_false_and_its_removal_are_accepted_beside_it(
    tenant: Tenant, kubectl: Kubectl, upstream: Upstream, request_stop: Request
) -> None:
    stream_from(tenant, upstream)
    store(kubectl, tenant, beyond_bounds(STOPS))
    no_status = refuses_status_of_invalid_job(kubectl)
    eventually(lambda: not upstream.open_connections, 10)
    eventually(lambda: no_status or is_paused(tenant))
    request_stop(kubectl, tenant.job(), {"enabled": False})
    eventually(lambda: no_status or is_confirmed(tenant))
    tenant.patch(pause=None, pausedSymbols=None, enabled=True)
    tenant.settled("Streaming")


def test_a_stop_is_confirmed_on_a_job_whose_stored_status_breaks_every_bound(
    tenant: Tenant, kubectl: Kubectl, upstream: Upstream
) -> None:
    stream_from(tenant, upstream)
    process = pod_of(tenant)
    with no_operator(kubectl):
        os.kill(process, signal.SIGSTOP)  # otherwise the pod replaces the status before the stop
        try:
            with installed(kubectl, earlier_definition()):
                store_status(tenant, beyond_status_bounds(tenant.job()["status"]))
            stored = tenant.job()["status"]
            assert len(list(broken_bounds(SCHEMA["status"], stored, "status"))) >= 10
            tenant.patch(enabled=False)
        finally:
            os.kill(process, signal.SIGCONT)
        eventually(lambda: not upstream.open_connections, 10)
        if refuses_status_of_invalid_job(kubectl):
            return
        eventually(lambda: is_confirmed(tenant))
    eventually(lambda: is_paused(tenant))
    assert list(broken_bounds(SCHEMA["status"], tenant.job()["status"], "status")) == []


def beyond_status_bounds(status: dict[str, Any]) -> dict[str, Any]:
    """Return the status with each text that the earlier definition does not bound beyond its present bound."""
    earlier = earlier_definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]
    changed = copy.deepcopy(status)
    unbounded = {place for place, field in schema_values.places(earlier) if not schema_values.has_bound(field)}
    for place, field in schema_values.places(SCHEMA["status"]):
        pair = schema_values.values_at_and_over_bound(field)
        if pair is not None and place in unbounded and "enum" not in field and _has(changed, place):
            _set(changed, place, LONG_TIME if "pattern" in field else pair[1])
    return changed


def store_status(tenant: Tenant, status: dict[str, Any]) -> None:
    patch = json.dumps({"status": status})
    tenant.run("patch", "ij", "feed", "--subresource=status", "--type=merge", "-p", patch)
