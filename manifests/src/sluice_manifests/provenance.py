"""The provenance of a release: the commit and the materials of its files (an in-toto statement, SLSA v1)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from sluice_manifests.base_images import BaseImage

_STATEMENT = "https://in-toto.io/Statement/v1"
_PREDICATE = "https://slsa.dev/provenance/v1"
# Names this way of building. Nothing is served at this address.
BUILD_TYPE = "https://sluice.dev/make-release/v1"


@dataclass(frozen=True)
class Source:
    """The commit of a release: where the repository is (or unknown), the commit's ID, and the commit's time."""

    repository: str
    commit: str
    committed_at: datetime


def provenance(
    files: list[Path], version: str, source: Source, base_images: list[BaseImage], materials: Mapping[str, bytes]
) -> str:
    """Return the statement in JSON.

    `materials` are the files that name the packages of the images, by their paths in the repository. A base image
    without a digest in base-images.txt has none here either: nothing that was not measured is stated.
    """
    statement = {
        "_type": _STATEMENT,
        "subject": [{"name": path.name, "digest": {"sha256": _digest(path.read_bytes())}} for path in files],
        "predicateType": _PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"version": version},
                "resolvedDependencies": [
                    {"uri": f"git+{source.repository}", "digest": {"gitCommit": source.commit}},
                    *({"uri": path, "digest": {"sha256": _digest(data)}} for path, data in sorted(materials.items())),
                    *map(_dependency, base_images),
                ],
            },
            "runDetails": {
                "builder": {"id": BUILD_TYPE},
                "metadata": {"startedOn": source.committed_at.strftime("%Y-%m-%dT%H:%M:%SZ")},
            },
        },
    }
    return json.dumps(statement, indent=2) + "\n"


def _dependency(image: BaseImage) -> dict[str, Any]:
    digest = {"digest": {"sha256": image.digest.removeprefix("sha256:")}} if image.digest else {}
    return {"uri": f"docker://{image.name}", **digest}


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()
