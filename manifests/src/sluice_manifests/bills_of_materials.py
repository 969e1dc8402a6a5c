"""The software bill of materials (SBOM) of an image, as a CycloneDX document."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from sluice_manifests.base_images import BaseImage

_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class Pin:
    """A package of a hash-locked requirements file: its name, its version, and the SHA-256 of each of its files."""

    name: str
    version: str
    hashes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImageContents:
    """What an image consists of. `projects` are the packages of this repository in it."""

    name: str
    version: str
    base: BaseImage
    projects: tuple[str, ...]
    packages: tuple[Pin, ...]


def pins(requirements: str) -> tuple[Pin, ...]:
    """Return the packages of a requirements file that `make lock` wrote."""
    entries = re.split(r"^(?=[A-Za-z0-9])", requirements, flags=re.MULTILINE)
    found = ((_PIN.match(entry), entry) for entry in entries)
    return tuple(Pin(match[1], match[2], tuple(_HASH.findall(entry))) for match, entry in found if match)


def bill_of_materials(contents: ImageContents, built_at: datetime) -> str:
    """Return the CycloneDX 1.6 document, in JSON. The same contents and time give the same text.

    A package has the hashes of all of its files that the lock file allows; the image has one of these files.
    """
    image = Component(
        name=contents.name,
        version=contents.version,
        type=ComponentType.CONTAINER,
        bom_ref=f"{contents.name}@{contents.version}",
    )
    components = [_base_component(contents.base), *_project_components(contents), *map(_package, contents.packages)]
    bom = Bom(components=components, serial_number=uuid5(NAMESPACE_URL, f"{contents.name}@{contents.version}"))
    bom.metadata.component = image
    bom.metadata.timestamp = built_at
    bom.register_dependency(image, components)
    return str(JsonV1Dot6(bom).output_as_string(indent=2)) + "\n"


def _base_component(base: BaseImage) -> Component:
    name, _, tag = base.name.rpartition(":")
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=base.digest.removeprefix("sha256:"))] if base.digest else []
    return Component(
        name=name, version=tag, type=ComponentType.CONTAINER, hashes=hashes, bom_ref=f"{base.argument}={base.reference}"
    )


def _project_components(contents: ImageContents) -> Sequence[Component]:
    return [
        Component(
            name=name,
            version=contents.version,
            type=ComponentType.LIBRARY,
            bom_ref=f"{name}@{contents.version}/package",
        )
        for name in contents.projects
    ]


def _package(pin: Pin) -> Component:
    url = PackageURL(type="pypi", name=pin.name.lower().replace("_", "-"), version=pin.version)
    return Component(
        name=pin.name,
        version=pin.version,
        type=ComponentType.LIBRARY,
        purl=url,
        bom_ref=url.to_string(),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=each) for each in pin.hashes],
    )
