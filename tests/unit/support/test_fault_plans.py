"""The addresses and plans of the fault tests: each plan has a text that replays it."""

from __future__ import annotations

import pytest

from support.fault_plans import (
    FAULTS,
    KILLS,
    WATCH,
    Address,
    Plan,
    parse_plan,
    plans_of_trace,
    resource_of_path,
    verb_of_request,
)

TRACE = (Address("POST", "pods", 1), Address("LIST", "pods", 1), Address("POST", "pods", 2), Address(WATCH, "pods", 1))


@pytest.mark.parametrize("fault", FAULTS)
def test_the_text_of_a_plan_replays_it(fault: str) -> None:
    plan = Plan("cold-change", fault, Address("PATCH", "ingestjobs/status", 3))
    assert str(plan) == f"cold-change: {fault} PATCH ingestjobs/status 3"
    assert parse_plan(f" {plan}\n") == plan


@pytest.mark.parametrize(
    "text", ["", "create", "create: burn POST pods 1", "create: lose POST pods", "lose POST pods 1"]
)
def test_a_text_that_is_not_a_plan_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match='write one such as "create: lose POST pods 1"'):
        parse_plan(text)


@pytest.mark.parametrize(
    ("path", "resource", "name"),
    [
        ("/api/v1/pods", "pods", ""),
        ("/api/v1/namespaces/acme", "namespaces", "acme"),
        ("/api/v1/namespaces/acme/pods", "pods", ""),
        ("/api/v1/namespaces/acme/pods/us-ingest", "pods", "us-ingest"),
        ("/apis/sluice.dev/v1alpha1/namespaces/acme/ingestjobs/us/status", "ingestjobs/status", "us"),
        ("/apis/sluice.dev/v1alpha1/clusteringestpauses", "clusteringestpauses", ""),
        ("/apis/coordination.k8s.io/v1/namespaces/acme/leases/sluice-operator", "leases", "sluice-operator"),
        ("/apis/sluice.dev/v1alpha1", "", ""),
        ("/apis", "", ""),
        ("/api", "", ""),
        ("/version", "", ""),
    ],
)
def test_a_path_names_the_resource_and_the_object(path: str, resource: str, name: str) -> None:
    assert resource_of_path(path) == (resource, name)


def test_a_read_is_a_get_a_list_or_a_watch() -> None:
    assert verb_of_request("GET", "/api/v1/namespaces/acme/pods/us-ingest", False) == "GET"
    assert verb_of_request("GET", "/api/v1/namespaces/acme/pods", False) == "LIST"
    assert verb_of_request("GET", "/api/v1/namespaces/acme/pods", True) == WATCH
    assert verb_of_request("DELETE", "/api/v1/namespaces/acme/pods/us-ingest", False) == "DELETE"


def test_each_request_is_lost_held_back_and_garbled_and_only_a_write_is_the_point_of_a_kill() -> None:
    texts = [str(plan) for plan in plans_of_trace("create", TRACE, FAULTS)]
    assert len(texts) == len(set(texts)) == 2 * 6 + 1 * 3 + 1 * 4
    assert [text for text in texts if "kill" in text] == [
        f"create: {kill} POST pods {number}" for number in (1, 2) for kill in KILLS
    ]
    assert "create: lose LIST pods 1" in texts
    assert [text for text in texts if "expire" in text] == ["create: expire WATCH pods 1"]
