"""What the API server refuses of pauses and policies, in which words, and that it refuses no stop."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from sluice_contract.examples import example_pauses, example_policy
from sluice_devcluster.kubectl import Kubectl, KubectlError
from support.site import Tenant

DRY = "--dry-run=server"
NAMED = {"jobs": ["feed"], "reason": "incident"}
SELECTOR: dict[str, Any] = {"namespaceSelector": {}}
EXACTLY_ONE = "name the jobs in spec.jobs, or select them in spec.jobSelector"
NEED_VALUES = "values are needed with the operators In and NotIn, and only with these"
LABEL_KEY = "write the key of a label like example.com/name"


def document(kind: str, spec: dict[str, Any], name: str = "trial", **metadata: Any) -> str:
    """Return the manifest of an object as JSON."""
    found = {"apiVersion": "sluice.dev/v1alpha1", "kind": kind, "metadata": {"name": name} | metadata, "spec": spec}
    return json.dumps(found)


def feeds_of(provider: str, *feeds: str) -> list[dict[str, Any]]:
    """Return the field providers of a pause for these feeds."""
    return [{"name": provider, "feeds": list(feeds)}]


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    """Return a selector with one requirement."""
    return {"matchExpressions": [{"key": key, "operator": operator} | ({"values": list(values)} if values else {})]}


@pytest.mark.parametrize(
    ("kind", "spec", "sentence"),
    [
        ("IngestPause", NAMED | {"jobSelector": {}}, EXACTLY_ONE),
        ("IngestPause", {"reason": "incident"}, EXACTLY_ONE),
        ("IngestPause", {"jobs": ["feed"]}, "spec.reason: Required value"),
        ("IngestPause", {"jobs": ["feed"], "reason": ""}, "spec.reason in body should be at least 1 chars long"),
        ("IngestPause", {"jobs": ["Feed"], "reason": "r"}, "write it as kubectl get ij shows it, in lower case"),
        ("IngestPause", {"jobs": ["feed", "feed"], "reason": "r"}, 'Duplicate value: "feed"'),
        ("IngestPause", {"jobSelector": expression("a", "In"), "reason": "r"}, NEED_VALUES),
        ("IngestPause", {"jobSelector": expression("a", "Exists", "b"), "reason": "r"}, NEED_VALUES),
        ("IngestPause", {"jobSelector": expression("a b", "Exists"), "reason": "r"}, LABEL_KEY),
        ("IngestPause", {"jobSelector": {"matchLabels": {"a b": "c"}}, "reason": "r"}, LABEL_KEY),
        ("IngestPause", NAMED | {"symbols": ["spy"]}, "spec.symbols[0] in body should match"),
        ("IngestPause", NAMED | {"symbols": []}, "should have at least 1 items"),
        ("IngestPause", NAMED | {"until": "tomorrow"}, "write one like 2026-11-23T14:00:00Z"),
        ("ClusterIngestPause", {"reason": "r", "providers": [{"name": "Alpaca"}]}, "write the name in lower case"),
        ("ClusterIngestPause", {"reason": "r", "providers": [{"name": "alpca"}]}, "write one of alpaca, ibkr"),
        (
            "ClusterIngestPause",
            {"reason": "r", "providers": feeds_of("alpaca", "iexx")},
            "alpaca has the feeds iex, sip",
        ),
        ("ClusterIngestPause", {"reason": "r", "providers": feeds_of("replay", "iex")}, "leave feeds out for all jobs"),
        ("ClusterIngestPause", {"reason": "r", "providers": []}, "should have at least 1 items"),
        ("ClusterIngestPause", {}, "spec.reason: Required value"),
        ("IngestPolicy", {}, "spec.namespaceSelector: Required value"),
        ("IngestPolicy", SELECTOR | {"mode": "Audit"}, 'supported values: "Enforce", "Warn"'),
        ("IngestPolicy", SELECTOR | {"perJob": {}}, "should have at least 1 properties"),
        ("IngestPolicy", SELECTOR | {"hosts": ["https://a"]}, "write a host name, an IP address, or *. and a domain"),
        ("IngestPolicy", {"namespaceSelector": expression("a", "NotIn")}, NEED_VALUES),
    ],
)
def test_a_document_that_means_nothing_is_refused_with_a_sentence(
    kubectl: Kubectl, kind: str, spec: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(KubectlError, match=re.escape(sentence)):
        kubectl("create", DRY, "-f", "-", text=document(kind, spec))


@pytest.mark.parametrize("kind", ["IngestPause", "ClusterIngestPause", "IngestPolicy"])
def test_a_name_that_does_not_fit_into_the_status_of_a_job_is_refused(kubectl: Kubectl, kind: str) -> None:
    specs: dict[str, dict[str, Any]] = {"ClusterIngestPause": {"reason": "r"}, "IngestPolicy": SELECTOR}
    spec = specs.get(kind, NAMED)
    kubectl("create", DRY, "-f", "-", text=document(kind, spec, name="a" * 63))
    with pytest.raises(KubectlError, match="at most 63 characters: choose a shorter name"):
        kubectl("create", DRY, "-f", "-", text=document(kind, spec, name="a" * 64))


def test_the_examples_of_the_pages_are_accepted(tenant: Tenant, kubectl: Kubectl) -> None:
    for manifest in (*example_pauses().values(), example_policy()):
        if "namespace" in manifest["metadata"]:
            manifest["metadata"]["namespace"] = tenant.name
        kubectl("create", DRY, "-f", "-", text=json.dumps(manifest))


@pytest.mark.parametrize(
    "spec",
    [
        {"jobs": ["absent"], "reason": "a job that does not exist"},
        {"jobSelector": {}, "reason": "every job", "until": "2020-01-01T00:00:00Z"},
        {"jobSelector": expression("a", "NotIn", "b"), "symbols": ["AAPL", "ON"], "reason": "x" * 256},
    ],
)
def test_a_pause_is_accepted_whatever_it_covers_and_wherever_it_is(kubectl: Kubectl, spec: dict[str, Any]) -> None:
    # The namespace default serves no tenant.
    kubectl("create", DRY, "-f", "-", text=document("IngestPause", spec))


@pytest.fixture
def users(tenant: Tenant, kubectl: Kubectl) -> Iterator[None]:
    """Let the users alice and bob pause: the jobs of the tenant's namespace, and the fleet."""
    both = ("--user=alice", "--user=bob")
    tenant.run("create", "rolebinding", "pausers", "--clusterrole=sluice-pauser", *both)
    name = f"{tenant.name}-pausers"
    kubectl("create", "clusterrolebinding", name, "--clusterrole=sluice-fleet-pauser", *both)
    yield
    kubectl("delete", "clusterrolebinding", name)


KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "ipause": ("IngestPause", NAMED),
    "cipause": ("ClusterIngestPause", {"providers": feeds_of("alpaca", "boats"), "reason": "incident"}),
}


@pytest.mark.usefixtures("users")
@pytest.mark.parametrize("short_name", KINDS)
def test_a_pause_has_no_author_or_the_one_who_wrote_it(tenant: Tenant, kubectl: Kubectl, short_name: str) -> None:
    kind, spec = KINDS[short_name]
    here = {"namespace": tenant.name} if short_name == "ipause" else {}
    where = ("-n", tenant.name) if here else ()
    name = f"{tenant.name}-signed"

    def create(user: str, **more: str) -> None:
        kubectl("create", "-f", "-", f"--as={user}", text=document(kind, spec | more, name=name, **here))

    def patch(user: str, change: dict[str, Any]) -> None:
        text = json.dumps(change)
        kubectl("patch", short_name, name, *where, f"--as={user}", "--type=merge", "-p", text)

    create("alice")
    kubectl("delete", short_name, name, *where, "--as=alice")
    with pytest.raises(KubectlError, match=r"spec\.by says who wrote this pause: leave it out, or set it to alice\."):
        create("alice", by="bob")
    create("alice", by="alice")
    patch("bob", {"metadata": {"labels": {"incident": "42"}}})
    with pytest.raises(KubectlError, match=r"leave it out, or set it to bob\."):
        patch("bob", {"spec": {"reason": "changed"}})
    patch("alice", {"spec": {"until": "2030-01-01T00:00:00Z"}})
    patch("bob", {"spec": {"reason": "changed", "by": "bob"}})
    patch("alice", {"spec": {"reason": "changed again", "by": None}})
    assert "by" not in kubectl.get(short_name, name, *where)["spec"]
    kubectl("delete", short_name, name, *where, "--as=bob")
