"""The kinds of objects without which the operator works, and the sentences about those that it cannot watch.

An older CustomResourceDefinition may not serve a kind, and an older ClusterRole may not let the operator read it. Jobs
continue in both cases.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from sluice_contract import identity

API_PATH: Final = f"/apis/{identity.API_VERSION}"
NOT_FOUND: Final = 404
FORBIDDEN: Final = 403


class OptionalKind(msgspec.Struct, frozen=True):
    """A kind without which the operator works: its names, and whether its objects have a namespace."""

    plural: str
    kind: str
    is_namespaced: bool


OPTIONAL_KINDS: Final = {
    identity.PAUSES: OptionalKind(identity.PAUSES, identity.PAUSE_KIND, True),
    identity.CLUSTER_PAUSES: OptionalKind(identity.CLUSTER_PAUSES, identity.CLUSTER_PAUSE_KIND, False),
}


def optional_kind_of_path(path: str) -> OptionalKind | None:
    """Return the optional kind whose LISTs and watches have this URL path; None if it is that of another request."""
    return OPTIONAL_KINDS.get(path.rsplit("/", 1)[-1])


def problem_of_kind(plural: str, status: int) -> str:
    """Return a sentence: why objects of this kind cannot be watched, by the HTTP status, and what to do."""
    if status == NOT_FOUND:
        return (
            f"the API server does not serve {plural}: apply the CustomResourceDefinitions in crds/ of the operator's "
            "version"
        )
    return (
        f"the operator may not list and watch {plural} (HTTP {status}): apply ClusterRole sluice-operator-read of the "
        "operator's version"
    )


def with_optional_kinds(document: Any) -> Any:
    """Return the API server's list of the kinds of the group, with each optional kind that it does not have.

    kopf reads the list once, at its start. So its watch of a kind begins when the API server serves the kind.
    """
    if not isinstance(document, dict) or not isinstance(resources := document.get("resources"), list):
        return document
    served = {each.get("name") for each in resources if isinstance(each, dict)}
    missing = [_entry(each) for each in OPTIONAL_KINDS.values() if each.plural not in served]
    return {**document, "resources": [*resources, *missing]}


def _entry(kind: OptionalKind) -> dict[str, Any]:
    return {
        "name": kind.plural,
        "singularName": kind.kind.lower(),
        "kind": kind.kind,
        "namespaced": kind.is_namespaced,
        "verbs": ["get", "list", "watch"],
    }
