"""A fake API server with pauses, behind the operator's ports about pauses."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from typing import Any

import msgspec

from sluice_contract import identity
from sluice_contract.pauses import PauseStatus
from sluice_operator import handlers
from sluice_operator.domain.pause_objects import (
    PauseKey,
    PauseObject,
    cluster_pause_from_parts,
    pause_from_parts,
)
from sluice_operator.domain.reduced_documents import CLUSTER_PAUSES, PAUSES, decode_object_parts
from sluice_operator.pause_state import PauseState
from sluice_operator.ports import NotFound

Document = dict[str, Any]
REASON = "vendor incident"


def pause_document(key: PauseKey, spec: Document, generation: int = 1) -> Document:
    """Return a stored pause. An empty namespace in the key makes it a ClusterIngestPause."""
    namespace, name = key
    metadata = {"name": name, "uid": f"uid-{name}", "generation": generation, "resourceVersion": str(generation)}
    kind = identity.PAUSE_KIND if namespace else identity.CLUSTER_PAUSE_KIND
    return {
        "apiVersion": identity.API_VERSION,
        "kind": kind,
        "metadata": metadata | ({"namespace": namespace} if namespace else {}),
        "spec": {"reason": REASON} | spec,
    }


def pause_object(key: PauseKey, spec: Document, generation: int = 1) -> PauseObject:
    """Return a pause as the operator reads it."""
    return decoded_pause(pause_document(key, spec, generation))


def decoded_pause(document: Document) -> PauseObject:
    """Return the pause of a stored document."""
    parts = decode_object_parts(msgspec.json.encode(document))
    read = pause_from_parts if parts.metadata.namespace else cluster_pause_from_parts
    return read(parts.metadata, parts.spec, parts.status)


class FakePauses:
    """Implements `ports.PauseStore`. Each change is delivered at once to `state`."""

    def __init__(self, state: Callable[[], PauseState]) -> None:
        self.documents: dict[PauseKey, Document] = {}
        self.writes: list[PauseKey] = []
        self.failures: dict[str, Exception] = {}  # what a LIST of a kind, or a write (`status`), raises
        self._state = state
        self._versions = itertools.count(1000)

    async def list_pauses(self) -> list[PauseObject]:
        return self._listed(identity.PAUSES, lambda key: key[0] != "")

    async def list_cluster_pauses(self) -> list[PauseObject]:
        return self._listed(identity.CLUSTER_PAUSES, lambda key: key[0] == "")

    async def read_pause(self, key: PauseKey) -> PauseObject:
        if key not in self.documents:
            raise NotFound(key[1])
        return decoded_pause(self.documents[key])

    async def write_pause_status(self, key: PauseKey, status: PauseStatus) -> PauseObject:
        if error := self.failures.get("status"):
            raise error
        if key not in self.documents:
            raise NotFound(key[1])
        self.writes.append(key)
        self._change(key, self.documents[key] | {"status": msgspec.to_builtins(status)})
        return decoded_pause(self.documents[key])

    def declare(self, key: PauseKey, spec: Document) -> None:
        """Create or change a pause, as `kubectl apply` does."""
        known = self.documents.get(key)
        generation = known["metadata"]["generation"] + 1 if known is not None else 1
        document = pause_document(key, spec, generation)
        self._change(key, document | ({"status": known["status"]} if known and "status" in known else {}))

    def remove(self, key: PauseKey) -> None:
        """Delete a pause, as `kubectl delete` does."""
        self._deliver(key, "DELETED", self.documents.pop(key))

    def deliver_all(self) -> None:
        """Deliver all pauses, as a LIST does."""
        for key, document in self.documents.items():
            self._deliver(key, "ADDED", document)

    def status(self, key: PauseKey) -> PauseStatus:
        """Return the stored status of a pause."""
        return decoded_pause(self.documents[key]).status

    def _change(self, key: PauseKey, document: Document) -> None:
        document["metadata"]["resourceVersion"] = str(next(self._versions))
        self.documents[key] = document
        self._deliver(key, "MODIFIED", document)

    def _deliver(self, key: PauseKey, change: str, document: Document) -> None:
        state = self._state()
        cache, kind = (state.namespaced, PAUSES) if key[0] else (state.of_cluster, CLUSTER_PAUSES)
        handlers.on_pause_event(cache, kind, change, copy.deepcopy(document))

    def _listed(self, plural: str, is_of_kind: Callable[[PauseKey], bool]) -> list[PauseObject]:
        if error := self.failures.get(plural):
            raise error
        return [decoded_pause(each) for key, each in self.documents.items() if is_of_kind(key)]
