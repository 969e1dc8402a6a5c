"""The volumes of an ingest pod, and where its container mounts them."""

from __future__ import annotations

from typing import Any

from sluice_contract import identity
from sluice_contract.replay import TapeLocation
from sluice_contract.spec import IngestJobSpec

Manifest = dict[str, Any]


def mounts_and_volumes(spec: IngestJobSpec, secret_file_mode: int) -> list[tuple[Manifest, Manifest]]:
    """Return the mount and the volume of each Secret, ConfigMap or claim in the spec, and of the pod's state.

    Secrets and ConfigMaps are optional: the pod starts without them, reports which is missing, and continues when it
    appears. The operator has no permission to read Secrets, so it cannot report them. `secret_file_mode` is the mode of
    the files of Secrets.
    """
    found = []
    if spec.alpaca and spec.alpaca.credentials_secret_ref:
        name = spec.alpaca.credentials_secret_ref.name
        found.append(_secret_mount_and_volume("alpaca", name, identity.ALPACA_CREDENTIALS_DIR, secret_file_mode))
    if spec.alpaca and spec.alpaca.ca_config_map_ref:
        name = spec.alpaca.ca_config_map_ref.name
        found.append(_config_map_mount_and_volume("alpaca-ca", name, identity.ALPACA_CA_DIR))
    if spec.firestore.credentials_secret_ref:
        name = spec.firestore.credentials_secret_ref.name
        found.append(_secret_mount_and_volume("firestore", name, identity.FIRESTORE_CREDENTIALS_DIR, secret_file_mode))
    if spec.replay:
        found.append(_tape_mount_and_volume(spec.replay.tape))
    if spec.http:
        name = spec.http.token_secret_ref.name
        found.append(_secret_mount_and_volume("http", name, identity.HTTP_TOKEN_DIR, secret_file_mode))
    return [*found, _state_mount_and_volume()]


def _tape_mount_and_volume(tape: TapeLocation) -> tuple[Manifest, Manifest]:
    if tape.config_map_ref is not None:
        name, key = tape.config_map_ref.name, tape.config_map_ref.key
        return _config_map_mount_and_volume("tape", name, identity.TAPE_DIR, keys=(key,))
    name = tape.claim_ref.name if tape.claim_ref is not None else ""
    # A claim cannot be optional: the pod waits for it, and its status says so.
    volume = {"name": "tape", "persistentVolumeClaim": {"claimName": name, "readOnly": True}}
    return _read_only_mount("tape", identity.TAPE_DIR), volume


def _state_mount_and_volume() -> tuple[Manifest, Manifest]:
    # The state of the HTTP switch survives a crash of the container. A spec of 2,000 symbols is below 200 kB.
    mount = {"name": "state", "mountPath": identity.STATE_DIR}
    return mount, {"name": "state", "emptyDir": {"sizeLimit": "8Mi"}}


def _secret_mount_and_volume(volume: str, name: str, directory: str, file_mode: int) -> tuple[Manifest, Manifest]:
    source = {"secretName": name, "optional": True, "defaultMode": file_mode}
    return _read_only_mount(volume, directory), {"name": volume, "secret": source}


def _config_map_mount_and_volume(
    volume: str, name: str, directory: str, keys: tuple[str, ...] = ()
) -> tuple[Manifest, Manifest]:
    source: Manifest = {"name": name, "optional": True}
    if keys:
        source["items"] = [{"key": key, "path": key} for key in keys]
    return _read_only_mount(volume, directory), {"name": volume, "configMap": source}


def _read_only_mount(volume: str, directory: str) -> Manifest:
    return {"name": volume, "mountPath": directory, "readOnly": True}
