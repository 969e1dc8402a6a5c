"""The files of a pod's volumes, computed from the specification; the module `projection` writes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sluice_devcluster.api import Json
from sluice_devcluster.node.references import (
    PodFacts,
    Reference,
    Sources,
    UnresolvedError,
    downward_field_value,
    referenced_content,
)

DEFAULT_MODE = 0o644
DEFAULT_TOKEN_SECONDS = 3600
SUPPORTED = ("secret", "configMap", "projected", "downwardAPI", "emptyDir")


class VolumeFile(NamedTuple):
    """One file of a volume: its content and its permission bits."""

    content: bytes
    mode: int


class TokenRequest(NamedTuple):
    """A request for a service-account token: its audience ("": the API server) and its lifetime in seconds."""

    audience: str
    seconds: int


VolumeFiles = dict[str, VolumeFile]
TokenValues = Mapping[TokenRequest, str]


class VolumeInputs(NamedTuple):
    """The pod, objects and tokens from which the files of a volume are made."""

    facts: PodFacts
    sources: Sources
    tokens: TokenValues


def unsupported_volume_reason(volume: Json) -> str | None:
    """Return a sentence that says why this node cannot provide a volume; None if it can."""
    kinds = [key for key in volume if key != "name"]
    if kinds and kinds[0] not in SUPPORTED:
        return f"volume {volume['name']}: {kinds[0]} volumes are not supported by this node"
    return None


def volume_sources(volume: Json) -> list[Json]:
    """Return the sources of a volume, each in the form used in projected volumes; none for an emptyDir."""
    if "projected" in volume:
        return list(volume["projected"].get("sources") or [])
    if "secret" in volume:
        source = volume["secret"]
        return [{"secret": {**source, "name": source["secretName"]}}]
    return [{kind: volume[kind]} for kind in ("configMap", "downwardAPI") if kind in volume]


def is_projected(volume: Json) -> bool:
    """Return True if the volume's content comes from API objects, so that it is mounted read-only."""
    return any(kind in volume for kind in ("projected", "secret", "configMap", "downwardAPI"))


def referenced_objects(volume: Json) -> Iterator[Reference]:
    """Yield the Secrets and ConfigMaps to which a volume refers."""
    for part in volume_sources(volume):
        for field, kind in (("secret", "Secret"), ("configMap", "ConfigMap")):
            if field in part:
                yield Reference(kind, part[field]["name"])


def token_requests(volume: Json) -> Iterator[TokenRequest]:
    """Yield the service-account tokens that a volume contains."""
    for part in volume_sources(volume):
        if "serviceAccountToken" in part:
            yield token_request(part["serviceAccountToken"])


def token_request(source: Json) -> TokenRequest:
    """Return the token that a serviceAccountToken source requests."""
    return TokenRequest(source.get("audience", ""), source.get("expirationSeconds", DEFAULT_TOKEN_SECONDS))


def volume_files(volume: Json, inputs: VolumeInputs) -> VolumeFiles:
    """Return the files of a volume by relative path.

    Raises UnresolvedError, with the kubelet's wording, for a missing object or key that is not optional.
    """
    kind = next((kind for kind in SUPPORTED if kind in volume), "emptyDir")
    default_mode = (volume.get(kind) or {}).get("defaultMode", DEFAULT_MODE)
    files: VolumeFiles = {}
    for part in volume_sources(volume):
        files |= _source_files(part, inputs, default_mode)
    return files


def _source_files(part: Json, inputs: VolumeInputs, mode: int) -> VolumeFiles:
    if "serviceAccountToken" in part:
        source = part["serviceAccountToken"]
        return {source["path"]: VolumeFile(inputs.tokens[token_request(source)].encode(), mode)}
    if "downwardAPI" in part:
        return _downward_files(part["downwardAPI"], inputs.facts, mode)
    for field, kind in (("secret", "Secret"), ("configMap", "ConfigMap")):
        if field in part:
            return _object_files(Reference(kind, part[field]["name"]), part[field], inputs.sources, mode)
    raise UnresolvedError(f"volume source {', '.join(part)} is not supported by this node")


def _object_files(reference: Reference, source: Json, sources: Sources, mode: int) -> VolumeFiles:
    optional = bool(source.get("optional"))
    found = referenced_content(reference, sources, optional=optional)
    if found is None:
        return {}
    items = source.get("items")
    if not items:
        return {key: VolumeFile(value, mode) for key, value in found.items()}
    files: VolumeFiles = {}
    for item in items:
        if item["key"] in found:
            files[item["path"]] = VolumeFile(found[item["key"]], item.get("mode", mode))
        elif not optional:
            short = "secret" if reference.kind == "Secret" else "config"
            raise UnresolvedError(f"references non-existent {short} key: {item['key']}")
    return files


def _downward_files(source: Json, facts: PodFacts, mode: int) -> VolumeFiles:
    files: VolumeFiles = {}
    for item in source.get("items") or []:
        if "fieldRef" not in item:
            raise UnresolvedError(f"{item['path']}: resourceFieldRef is not supported by this node")
        value = downward_field_value(item["fieldRef"]["fieldPath"], facts)
        files[item["path"]] = VolumeFile(value.encode(), item.get("mode", mode))
    return files
