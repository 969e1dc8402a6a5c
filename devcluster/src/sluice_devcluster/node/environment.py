"""The environment variables of a container, from its specification and the objects to which it refers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from sluice_devcluster.api import Json
from sluice_devcluster.node.references import (
    PodFacts,
    Reference,
    Sources,
    UnresolvedError,
    downward_field_value,
    referenced_content,
)

KEY_KINDS = {"secretKeyRef": "Secret", "configMapKeyRef": "ConfigMap"}
FROM_KINDS = {"secretRef": "Secret", "configMapRef": "ConfigMap"}
# Each pod has its own home, because the machine's home directories hold credentials that pods must not read.
HOME = "/home/pod"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def expand_variables(text: str, known: Mapping[str, str]) -> str:
    """Replace $(NAME) by its value, keep unknown names as they are, and read $$ as one dollar sign.

    >>> expand_variables("$(A)-$(B)-$$(A)", {"A": "1"})
    '1-$(B)-$(A)'
    """

    def one(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        return known.get(found[1], found[0])

    return re.sub(r"\$\$|\$\(([^()]+)\)", one, text)


def referenced_objects(container: Json) -> Iterator[Reference]:
    """Yield the Secrets and ConfigMaps to which a container's environment refers."""
    for source in container.get("envFrom") or []:
        for field, kind in FROM_KINDS.items():
            if field in source:
                yield Reference(kind, source[field]["name"])
    for variable in container.get("env") or []:
        for field, kind in KEY_KINDS.items():
            if field in (variable.get("valueFrom") or {}):
                yield Reference(kind, variable["valueFrom"][field]["name"])


def base_variables(facts: PodFacts, bin_dir: str | None, apiserver_port: int) -> dict[str, str]:
    """Return the variables of every container: PATH, HOME, HOSTNAME and the API server's address."""
    return {
        "PATH": f"{bin_dir}:{SYSTEM_PATH}" if bin_dir else SYSTEM_PATH,
        "HOME": HOME,
        "HOSTNAME": facts.pod["spec"].get("hostname") or facts.pod["metadata"]["name"],
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": str(apiserver_port),
        "KUBERNETES_SERVICE_PORT_HTTPS": str(apiserver_port),
    }


def resolve_variables(container: Json, facts: PodFacts, sources: Sources) -> dict[str, str]:
    """Return the variables that a container's specification declares.

    Raises UnresolvedError, with the kubelet's wording, for a missing object or key that is not optional.
    """
    result: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        result |= _variables_from_object(source, sources)
    for variable in container.get("env") or []:
        value = _variable_value(variable, facts, sources, result)
        if value is not None:
            result[variable["name"]] = value
    return result


def _variables_from_object(source: Json, sources: Sources) -> dict[str, str]:
    prefix = source.get("prefix", "")
    for field, kind in FROM_KINDS.items():
        if field in source:
            reference = Reference(kind, source[field]["name"])
            found = referenced_content(reference, sources, optional=bool(source[field].get("optional")))
            return {prefix + key: value.decode(errors="replace") for key, value in (found or {}).items()}
    return {}


def _variable_value(variable: Json, facts: PodFacts, sources: Sources, known: Mapping[str, str]) -> str | None:
    source = variable.get("valueFrom")
    if source is None:
        return expand_variables(variable.get("value", ""), known)
    if "fieldRef" in source:
        return downward_field_value(source["fieldRef"]["fieldPath"], facts)
    for field, kind in KEY_KINDS.items():
        if field in source:
            return _key_value(Reference(kind, source[field]["name"]), source[field], facts, sources)
    raise UnresolvedError(
        f"the source of variable {variable['name']} is not supported by this node: {', '.join(source)}"
    )


def _key_value(reference: Reference, selector: Json, facts: PodFacts, sources: Sources) -> str | None:
    optional = bool(selector.get("optional"))
    found = referenced_content(reference, sources, optional=optional)
    if found is not None and selector["key"] in found:
        return found[selector["key"]].decode(errors="replace")
    if optional:
        return None
    namespace = facts.pod["metadata"]["namespace"]
    raise UnresolvedError(f"couldn't find key {selector['key']} in {reference.kind} {namespace}/{reference.name}")
