"""The content of volumes."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from sluice_devcluster.node import projection, volumes
from sluice_devcluster.node.references import PodFacts, Reference, Sources, UnresolvedError
from sluice_devcluster.node.volumes import TokenRequest, VolumeFile, VolumeInputs

FACTS = PodFacts(
    {"metadata": {"name": "p", "namespace": "n", "uid": "u", "labels": {"b": "2", "a": '"1"'}}, "spec": {}},
    "127.64.0.1",
    "127.0.0.1",
)
KEY = Reference("Secret", "key")
FOUND: Sources = {KEY: {"data": {"a": base64.b64encode(b"1").decode(), "b": base64.b64encode(b"2").decode()}}}


def material(sources: Sources | None = None) -> VolumeInputs:
    return VolumeInputs(FACTS, sources or {}, {TokenRequest("", 3607): "token"})


def secret_volume(**fields: Any) -> dict[str, Any]:
    return {"name": "v", "secret": {"secretName": "key", **fields}}


def test_a_secret_volume_has_a_file_for_each_key() -> None:
    files = volumes.volume_files(secret_volume(defaultMode=0o400), material(FOUND))
    assert files == {"a": VolumeFile(b"1", 0o400), "b": VolumeFile(b"2", 0o400)}
    assert list(volumes.referenced_objects(secret_volume())) == [KEY]


def test_items_choose_keys_paths_and_modes() -> None:
    volume = secret_volume(items=[{"key": "a", "path": "x/y", "mode": 0o600}])
    assert volumes.volume_files(volume, material(FOUND)) == {"x/y": VolumeFile(b"1", 0o600)}


def test_a_missing_secret_is_named_as_the_kubelet_names_it() -> None:
    with pytest.raises(UnresolvedError, match=r'^secret "key" not found$'):
        volumes.volume_files(secret_volume(), material())


def test_a_missing_key_is_named_as_the_kubelet_names_it() -> None:
    volume = secret_volume(items=[{"key": "c", "path": "c"}])
    with pytest.raises(UnresolvedError, match=r"^references non-existent secret key: c$"):
        volumes.volume_files(volume, material(FOUND))


def test_an_optional_secret_may_be_missing() -> None:
    assert volumes.volume_files(secret_volume(optional=True), material()) == {}


def test_a_config_map_volume_has_text_and_binary_files() -> None:
    found = {"data": {"t": "text"}, "binaryData": {"b": base64.b64encode(b"\xff").decode()}}
    volume = {"name": "v", "configMap": {"name": "c"}}
    files = volumes.volume_files(volume, material({Reference("ConfigMap", "c"): found}))
    assert {name: file.content for name, file in files.items()} == {"t": b"text", "b": b"\xff"}


def test_a_projected_volume_joins_its_sources() -> None:
    sources = [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
        {"secret": {"name": "key"}},
        {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
    ]
    volume = {"name": "v", "projected": {"sources": sources}}
    files = volumes.volume_files(volume, material(FOUND))
    assert {name: file.content for name, file in files.items()} == {
        "token": b"token",
        "a": b"1",
        "b": b"2",
        "labels": b'a="\\"1\\""\nb="2"',
    }
    assert list(volumes.token_requests(volume)) == [TokenRequest("", 3607)]


def test_volumes_of_other_kinds_are_refused_in_a_sentence() -> None:
    refusal = volumes.unsupported_volume_reason({"name": "v", "persistentVolumeClaim": {"claimName": "c"}})
    assert refusal == "volume v: persistentVolumeClaim volumes are not supported by this node"
    assert volumes.unsupported_volume_reason({"name": "v", "emptyDir": {}}) is None


def test_files_change_and_disappear_together(tmp_path: Path) -> None:
    directory = tmp_path / "v"
    projection.write_atomically(directory, {"a": VolumeFile(b"1", 0o644), "d/b": VolumeFile(b"2", 0o600)})
    assert ((directory / "a").read_bytes(), (directory / "d" / "b").read_bytes()) == (b"1", b"2")
    projection.write_atomically(directory, {"a": VolumeFile(b"3", 0o644)})
    visible = sorted(entry.name for entry in directory.iterdir() if not entry.name.startswith(".."))
    assert visible == ["a"]
    assert (directory / "a").read_bytes() == b"3"
    assert len([entry for entry in directory.iterdir() if entry.name.startswith("..2")]) == 1
