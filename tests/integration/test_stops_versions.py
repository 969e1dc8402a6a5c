"""A stop takes effect on a document that a newer or older version of the schema accepted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sluice_devcluster.kubectl import Kubectl, KubectlError
from support.definitions import another_definition
from support.site import Tenant, eventually
from support.stop_checks import (
    is_confirmed,
    is_paused,
    stream_from,
)
from support.stop_requests import by_patch
from support.upstream import Upstream

TIME = "2026-11-23T14:00:00Z"


def test_a_stop_works_on_a_streaming_job_with_a_value_of_a_newer_version(
    tenant: Tenant, kubectl: Kubectl, upstream: Upstream
) -> None:
    stream_from(tenant, upstream)

    def change(schema: dict[str, Any]) -> None:
        schema["spec"]["properties"]["channels"]["items"]["enum"].append("depth")

    with another_definition(kubectl, change):
        before = tenant.job()["status"]["observedGeneration"]
        tenant.patch(channels=["quotes", "depth"])
        eventually(lambda: tenant.condition("Ready") == ("False", "SpecNotUnderstood"))
        problem = "spec.channels[1] is not understood"
        eventually(lambda: tenant.job()["status"]["stream"].get("specProblem", "").startswith(problem))
        assert tenant.job()["status"]["observedGeneration"] == before
        assert len(upstream.open_connections) == 1
        tenant.patch(enabled=False)
        eventually(lambda: is_paused(tenant), 5)
        assert upstream.open_connections == []
        tenant.patch(enabled=True)
        eventually(lambda: len(upstream.open_connections) == 1)
        tenant.patch(channels=["quotes"])
        tenant.settled("Streaming")


# Values that a newer version may write where this one has an enumeration.
UNKNOWN_VALUES: dict[str, dict[str, Any]] = {
    "phase": {"phase": "Unheard"},
    "conditions.status": {
        "conditions": [
            {
                "type": "Ready",
                "status": "Unheard",
                "reason": "Unheard",
                "message": "",
                "lastTransitionTime": TIME,
                "observedGeneration": 1,
            }
        ]
    },
    "replacement.cause": {"replacement": {"startedAt": TIME, "cause": "Unheard", "stateBefore": "Streaming"}},
    "replacement.stateBefore": {"replacement": {"startedAt": TIME, "cause": "Spec", "stateBefore": "Unheard"}},
    "stream.state": {"stream": {"state": "Unheard"}},
    "stream.market.phase": {"stream": {"market": {"phase": "Unheard"}}},
    "stream.heartbeat.status": {"stream": {"heartbeat": {"status": "Unheard"}}},
    "stream.gaps.cause": {"stream": {"gaps": [{"from": TIME, "to": TIME, "cause": "Unheard"}]}},
    "stream.openGap.cause": {"stream": {"openGap": {"since": TIME, "cause": "Unheard"}}},
    "stream.failure.type": {"stream": {"failure": {"type": "Unheard", "message": "of a newer version", "at": TIME}}},
}


def test_a_stop_works_with_an_unknown_value_in_each_enumeration_of_the_status(
    tenant: Tenant, kubectl: Kubectl, upstream: Upstream
) -> None:
    stream_from(tenant, upstream)
    extended: list[str] = []

    def change(schema: dict[str, Any]) -> None:
        extended.extend(_extend_enumerations(schema["status"]))

    with another_definition(kubectl, change):
        assert set(extended) == set(UNKNOWN_VALUES)
        for status in UNKNOWN_VALUES.values():
            _store_status(tenant, status)
            tenant.patch(enabled=False)
            eventually(lambda: is_paused(tenant), 5)
            assert upstream.open_connections == []
            tenant.patch(enabled=True)
            tenant.settled("Streaming")


def _extend_enumerations(schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """Add a value to each enumeration, and yield the dotted paths of all."""
    for name, field in schema.get("properties", {}).items():
        if "enum" in field:
            field["enum"].append("Unheard")
            yield f"{path}{name}"
        yield from _extend_enumerations(field.get("items", field), f"{path}{name}.")


def _store_status(tenant: Tenant, status: dict[str, Any]) -> None:
    patch = json.dumps({"status": status})
    tenant.run("patch", "ij", "feed", "--subresource=status", "--type=merge", "-p", patch)


def test_a_document_that_only_an_older_schema_accepts_pauses_the_job_and_is_reported(
    tenant: Tenant, kubectl: Kubectl, upstream: Upstream
) -> None:
    stream_from(tenant, upstream)

    def change(schema: dict[str, Any]) -> None:
        schema["spec"]["properties"]["pause"]["properties"]["until"] = {"type": "string", "format": "date-time"}

    with another_definition(kubectl, change):
        tenant.patch(pause={"reason": "bad prints", "until": []})
        eventually(lambda: is_paused(tenant), 10)
    assert upstream.open_connections == []
    pause = tenant.job()["status"]["stream"]["pause"]
    assert pause["source"] == "unreadable"
    assert pause["reason"].startswith("spec.pause.until is not understood: ")
    # The newer schema rejects the value, but accepts a stop beside it and a repair.
    by_patch(kubectl, tenant.job(), {"enabled": False})
    eventually(lambda: is_confirmed(tenant))
    tenant.patch(pause=None, enabled=True)
    tenant.settled("Streaming")


def test_a_job_with_a_proxy_of_its_own_streams_without_it_and_can_be_patched_and_stopped(
    tenant: Tenant, kubectl: Kubectl, upstream: Upstream
) -> None:
    stream_from(tenant, upstream)
    proxy = {"name": "HTTPS_PROXY", "value": "http://me:secret@192.0.2.1:3128"}

    def change(schema: dict[str, Any]) -> None:
        name = schema["spec"]["properties"]["pod"]["properties"]["env"]["items"]["properties"]["name"]
        name["enum"].append("HTTPS_PROXY")

    with another_definition(kubectl, change):
        tenant.patch(pod={"env": [proxy]})
        eventually(lambda: "spec.pod.env sets HTTPS_PROXY, which is ignored" in _ready_message(tenant))
    tenant.patch(limits={"writesPerSecond": 11})
    tenant.settled("Streaming")
    assert "secret" not in _ready_message(tenant)
    [pod] = tenant.pods()
    assert "HTTPS_PROXY" not in {each["name"] for each in pod["spec"]["containers"][0]["env"]}
    tenant.patch(enabled=False)
    eventually(lambda: is_paused(tenant), 5)
    assert upstream.open_connections == []
    with pytest.raises(KubectlError, match="Unsupported value"):
        tenant.patch(pod={"env": [proxy, {**proxy, "name": "HTTP_PROXY"}]})
    tenant.patch(pod=None, enabled=True)
    tenant.settled("Streaming")
    assert "ignored" not in _ready_message(tenant)


def _ready_message(tenant: Tenant) -> str:
    return next(str(each["message"]) for each in tenant.job()["status"]["conditions"] if each["type"] == "Ready")
