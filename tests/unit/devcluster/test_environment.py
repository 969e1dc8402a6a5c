"""The environment of a container."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from sluice_devcluster.node import environment
from sluice_devcluster.node.references import PodFacts, Reference, UnresolvedError

FACTS = PodFacts(
    {
        "metadata": {"name": "p", "namespace": "n", "uid": "u", "annotations": {"x": "1"}, "labels": {"b": "2"}},
        "spec": {"nodeName": "node", "serviceAccountName": "robot"},
    },
    "127.64.0.1",
    "127.0.0.1",
)
KEY = Reference("Secret", "key")
SETTINGS = Reference("ConfigMap", "settings")


def container(*variables: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"name": "main", "env": list(variables), **fields}


def from_secret(key: str, *, optional: bool = False) -> dict[str, Any]:
    return {"name": "A", "valueFrom": {"secretKeyRef": {"name": "key", "key": key, "optional": optional}}}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$(A)", "1"),
        ("$(A)$(A)", "11"),
        ("$(B)", "$(B)"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$A ${A} $", "$A ${A} $"),
    ],
)
def test_known_names_are_expanded_and_all_else_is_left_alone(text: str, expanded: str) -> None:
    assert environment.expand_variables(text, {"A": "1"}) == expanded


def test_a_variable_sees_those_before_it() -> None:
    spec = container({"name": "A", "value": "1"}, {"name": "B", "value": "$(A)2"}, {"name": "C", "value": "$(D)"})
    assert environment.resolve_variables(spec, FACTS, {}) == {"A": "1", "B": "12", "C": "$(D)"}


def test_values_come_from_secrets_and_config_maps() -> None:
    spec = container(from_secret("a"), envFrom=[{"prefix": "P_", "configMapRef": {"name": "settings"}}])
    sources = {KEY: {"data": {"a": base64.b64encode(b"s").decode()}}, SETTINGS: {"data": {"c": "d"}}}
    assert environment.resolve_variables(spec, FACTS, sources) == {"A": "s", "P_c": "d"}
    assert set(environment.referenced_objects(spec)) == {KEY, SETTINGS}


def test_a_missing_secret_is_named_as_the_kubelet_names_it() -> None:
    with pytest.raises(UnresolvedError, match=r'^secret "key" not found$'):
        environment.resolve_variables(container(from_secret("a")), FACTS, {KEY: None})


def test_a_missing_key_is_named_as_the_kubelet_names_it() -> None:
    with pytest.raises(UnresolvedError, match=r"^couldn't find key a in Secret n/key$"):
        environment.resolve_variables(container(from_secret("a")), FACTS, {KEY: {}})


@pytest.mark.parametrize("found", [None, {}])
def test_an_optional_value_may_be_missing(found: dict[str, Any] | None) -> None:
    assert environment.resolve_variables(container(from_secret("a", optional=True)), FACTS, {KEY: found}) == {}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "p"),
        ("metadata.namespace", "n"),
        ("metadata.uid", "u"),
        ("metadata.annotations['x']", "1"),
        ("metadata.labels['b']", "2"),
        ("metadata.labels['none']", ""),
        ("spec.nodeName", "node"),
        ("spec.serviceAccountName", "robot"),
        ("status.podIP", "127.64.0.1"),
        ("status.hostIP", "127.0.0.1"),
    ],
)
def test_a_field_of_the_pod_becomes_a_value(path: str, value: str) -> None:
    spec = container({"name": "A", "valueFrom": {"fieldRef": {"fieldPath": path}}})
    assert environment.resolve_variables(spec, FACTS, {}) == {"A": value}


def test_resource_fields_are_rejected_by_name() -> None:
    spec = container({"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}})
    with pytest.raises(UnresolvedError, match="variable A is not supported"):
        environment.resolve_variables(spec, FACTS, {})


def test_every_container_knows_its_pod_and_the_api_server() -> None:
    known = environment.base_variables(FACTS, "/venv/bin", 6443)
    assert known["HOSTNAME"] == "p"
    assert known["PATH"].startswith("/venv/bin:/usr/local/sbin")
    assert (known["KUBERNETES_SERVICE_HOST"], known["KUBERNETES_SERVICE_PORT"]) == ("127.0.0.1", "6443")
