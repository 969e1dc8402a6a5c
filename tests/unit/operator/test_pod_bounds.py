"""The PriorityClasses and the keys that a job may set in spec.pod."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sluice_contract.pod import PodOptions
from sluice_operator.domain.pod_bounds import KeyBounds, PodBounds, denied_pod_fields, parse_key_bounds

RESTRICTED = PodBounds(priority_classes=("feeds",), node_keys=KeyBounds(("example.com", "dedicated")))
OPEN = PodBounds(priority_classes=("*",), metadata_keys=KeyBounds(("*",)), node_keys=KeyBounds(("*",)))


def denied(bounds: PodBounds, **pod: Any) -> str:
    """Return the message about spec.pod; empty if it is allowed."""
    found = next(denied_pod_fields(msgspec.convert(pod, PodOptions), bounds), None)
    return found.message if found is not None else ""


@pytest.mark.parametrize(
    "pod",
    [
        {},
        {"labels": {"team": "feeds"}, "annotations": {"note": "any"}},
        {"annotations": {"prometheus.io/scrape": "true", "cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}},
        {"nodeSelector": {"pool": "feeds", "kubernetes.io/arch": "arm64", "example.com/a": "b"}},
        {"tolerations": [{"key": "dedicated", "value": "feeds"}, {"key": "example.com/a", "operator": "Exists"}]},
        {"resources": {"limits": {"memory": "1Gi"}}, "env": [{"name": "LOG_LEVEL", "value": "debug"}]},
    ],
)
def test_by_default_ordinary_fields_are_allowed(pod: dict[str, Any]) -> None:
    assert denied(PodBounds(), **pod) == ""


@pytest.mark.parametrize(
    ("pod", "message"),
    [
        (
            {"priorityClassName": "system-node-critical"},
            "spec.pod.priorityClassName is system-node-critical, which the platform does not allow. Use an allowed "
            "PriorityClass (none), remove the field, or ask the administrator of the platform to add "
            "system-node-critical to SLUICE_POD_PRIORITY_CLASSES.",
        ),
        (
            {"annotations": {"sidecar.istio.io/inject": "true"}},
            "spec.pod.annotations has the key sidecar.istio.io/inject, which the platform does not allow. Remove it, "
            "or ask the administrator of the platform to add sidecar.istio.io to SLUICE_POD_METADATA_DOMAINS.",
        ),
        ({"labels": {"a.prometheus.io/x": "y"}}, "spec.pod.labels has the key a.prometheus.io/x, "),
        (
            {"nodeSelector": {"node-role.kubernetes.io/control-plane": ""}},
            "spec.pod.nodeSelector has the key node-role.kubernetes.io/control-plane, which the platform does not "
            "allow. Remove it: the platform excludes it in SLUICE_POD_NODE_KEY_DOMAINS.",
        ),
        ({"tolerations": [{"key": "node-role.kubernetes.io/control-plane"}]}, "spec.pod.tolerations has the"),
        ({"tolerations": [{"key": "node.kubernetes.io/unreachable"}]}, "spec.pod.tolerations has the"),
        (
            {"tolerations": [{"key": "a"}, {"operator": "Exists"}]},
            "spec.pod.tolerations[1] has no key, so it tolerates every taint, which the platform does not allow. Set "
            "its key to that of the taint.",
        ),
    ],
)  # fmt: skip
def test_by_default_what_reaches_beyond_the_tenant_is_denied(pod: dict[str, Any], message: str) -> None:
    assert denied(PodBounds(), **pod).startswith(message)


@pytest.mark.parametrize(
    ("pod", "is_allowed"),
    [
        ({"priorityClassName": "feeds"}, True),
        ({"priorityClassName": "others"}, False),
        ({"nodeSelector": {"example.com/a": "b", "dedicated": "c"}}, True),
        ({"nodeSelector": {"pool": "feeds"}}, False),
        ({"tolerations": [{"key": "dedicated"}]}, True),
        ({"tolerations": [{"key": "other"}]}, False),
        ({"tolerations": [{"operator": "Exists"}]}, False),
    ],
)
def test_the_platform_may_allow_other_values(pod: dict[str, Any], is_allowed: bool) -> None:
    assert (denied(RESTRICTED, **pod) == "") == is_allowed


def test_a_star_allows_every_value() -> None:
    pod = {
        "priorityClassName": "system-node-critical",
        "labels": {"istio.io/rev": "a"},
        "nodeSelector": {"node-role.kubernetes.io/control-plane": ""},
        "tolerations": [{"operator": "Exists"}],
    }
    assert denied(OPEN, **pod) == ""


def test_an_excluded_key_is_denied_even_if_it_has_no_domain() -> None:
    bounds = PodBounds(metadata_keys=parse_key_bounds("*,!app,!example.com", "X"))
    assert denied(bounds, labels={"team": "a", "other.example/b": "c"}) == ""
    assert denied(bounds, labels={"app": "a"}).endswith("the platform excludes it in SLUICE_POD_METADATA_DOMAINS.")
    assert denied(bounds, labels={"example.com/a": "b"}) != ""


def test_bounds_are_parsed_from_the_text_of_a_variable() -> None:
    assert parse_key_bounds("example.com, !a.example/key *", "X") == KeyBounds(("example.com", "*"), ("a.example/key",))


@pytest.mark.parametrize("entry", ["a b*", "!", "!*", "-a", "a!", "a/*", "https://a"])
def test_a_malformed_entry_is_named_with_what_to_write(entry: str) -> None:
    with pytest.raises(ValueError, match="SLUICE_POD_NODE_KEY_DOMAINS has the entry") as error:
        parse_key_bounds(entry, "SLUICE_POD_NODE_KEY_DOMAINS")
    assert "write a domain or a key, such as example.com" in str(error.value)
