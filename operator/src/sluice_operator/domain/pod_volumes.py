"""The volumes of an ingest pod, and where its container mounts them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sluice_contract import identity
from sluice_contract.provider_block import ClaimMount, ConfigMapMount, PodMount, SecretMount
from sluice_contract.providers import declared_blocks
from sluice_contract.spec import IngestJobSpec

Manifest = dict[str, Any]


def mounts_and_volumes(spec: IngestJobSpec, secret_file_mode: int) -> list[tuple[Manifest, Manifest]]:
    """Return the mount and the volume of each Secret, ConfigMap or claim in the spec, and of the pod's state.

    Secrets and ConfigMaps are optional: the pod starts without them, reports which is missing, and continues when it
    appears. The same is true of a missing key: a volume of a Secret has only the keys that its use needs. The operator
    has no permission to read Secrets, so it cannot report them. `secret_file_mode` is the mode of the files of Secrets.
    """
    declared = [(_mount(each), _volume(each, secret_file_mode)) for each in _mounts_of_spec(spec)]
    return [*declared, _state_mount_and_volume()]


def _mounts_of_spec(spec: IngestJobSpec) -> Iterator[PodMount]:
    # In another order, the manifests would differ from those of earlier versions, and an upgrade would replace pods.
    blocks = declared_blocks(spec)
    for block in blocks:
        if block.credentials is not None:
            yield block.credentials
        yield from block.settings_mounts
    if spec.firestore.credentials_secret_ref is not None:
        yield SecretMount(
            volume="firestore",
            name=spec.firestore.credentials_secret_ref.name,
            keys=(identity.FIRESTORE_CREDENTIALS_KEY,),
            directory=identity.FIRESTORE_CREDENTIALS_DIR,
        )
    for block in blocks:
        yield from block.data_mounts
    if spec.http is not None and spec.http.token_secret_ref is not None:
        yield SecretMount(
            volume="http",
            name=spec.http.token_secret_ref.name,
            keys=(identity.TOKEN_KEY,),
            directory=identity.HTTP_TOKEN_DIR,
        )


def _mount(mount: PodMount) -> Manifest:
    return {"name": mount.volume, "mountPath": mount.directory, "readOnly": True}


def _volume(mount: PodMount, secret_file_mode: int) -> Manifest:
    source: Manifest
    match mount:
        case SecretMount():
            source = {"secretName": mount.name, "optional": True, "defaultMode": secret_file_mode}
            return {"name": mount.volume, "secret": source | _selected_keys(mount.keys)}
        case ConfigMapMount():
            source = {"name": mount.name, "optional": True}
            return {"name": mount.volume, "configMap": source | _selected_keys(mount.keys)}
        case ClaimMount():
            # A claim cannot be optional: the pod waits for it, and its status says so.
            return {"name": mount.volume, "persistentVolumeClaim": {"claimName": mount.name, "readOnly": True}}


def _selected_keys(keys: tuple[str, ...]) -> Manifest:
    return {"items": [{"key": key, "path": key} for key in keys]} if keys else {}


def _state_mount_and_volume() -> tuple[Manifest, Manifest]:
    # The state of the HTTP switch survives a crash of the container. A spec of 2,000 symbols is below 200 kB.
    mount = {"name": "state", "mountPath": identity.STATE_DIR}
    return mount, {"name": "state", "emptyDir": {"sizeLimit": "8Mi"}}
