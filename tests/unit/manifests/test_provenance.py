"""The provenance of a release."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from sluice_manifests.base_images import BaseImage
from sluice_manifests.provenance import Source, provenance

DIGEST = "ab" * 32


def test_it_names_the_files_the_commit_and_the_materials(tmp_path: Path) -> None:
    (tmp_path / "sluice-1.2.3.yaml").write_text("install")
    statement = json.loads(
        provenance(
            [tmp_path / "sluice-1.2.3.yaml"],
            "1.2.3",
            Source("https://host/sluice", "c0ffee", datetime(2026, 11, 29, 1, 2, 3, tzinfo=UTC)),
            [BaseImage("A", "python:3", f"sha256:{DIGEST}"), BaseImage("B", "python:4")],
            {"requirements/operator.txt": b"pins"},
        )
    )
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"] == [{"name": "sluice-1.2.3.yaml", "digest": {"sha256": sha256(b"install").hexdigest()}}]
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    assert statement["predicate"]["buildDefinition"]["resolvedDependencies"] == [
        {"uri": "git+https://host/sluice", "digest": {"gitCommit": "c0ffee"}},
        {"uri": "requirements/operator.txt", "digest": {"sha256": sha256(b"pins").hexdigest()}},
        {"uri": "docker://python:3", "digest": {"sha256": DIGEST}},
        {"uri": "docker://python:4"},
    ]
    assert statement["predicate"]["runDetails"]["metadata"] == {"startedOn": "2026-11-29T01:02:03Z"}
