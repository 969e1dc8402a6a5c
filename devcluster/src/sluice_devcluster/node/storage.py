"""The volumes of one pod on this node: written before its containers start, and refreshed while they run."""

from __future__ import annotations

import asyncio
import logging
import shutil
from pathlib import Path

import aiohttp

from sluice_devcluster.api import ApiClient, ApiError, Json
from sluice_devcluster.node import projection, sources, volumes
from sluice_devcluster.node.execution import Mount
from sluice_devcluster.node.references import PodFacts, UnresolvedError
from sluice_devcluster.node.signals import ChangeCounter

LOGGER = logging.getLogger(__name__)
RETRY_SECONDS = 2.0


class PodVolumes:
    """The volumes of one pod; `directory` holds nothing else."""

    def __init__(self, client: ApiClient, facts: PodFacts, directory: Path, changed: ChangeCounter) -> None:
        """Write nothing yet; `changed` counts changes of the pod and of the objects to which it refers."""
        self.facts = facts
        self._client = client
        self._directory = directory
        self._changed = changed
        self._tokens = sources.ServiceAccountTokens(client, facts.pod)
        self._written: dict[str, volumes.VolumeFiles] = {}
        self._seen = changed.count

    def _volume_specs(self) -> list[Json]:
        return list(self.facts.pod["spec"].get("volumes") or [])

    async def write_all(self) -> None:
        """Write all volumes; raise UnresolvedError, with the kubelet's wording, if one cannot be provided."""
        self._seen = self._changed.count
        for volume in self._volume_specs():
            try:
                await self._write_volume(volume)
            except (UnresolvedError, ApiError) as error:
                raise UnresolvedError(f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}') from error

    async def refresh_forever(self) -> None:
        """Rewrite the volumes whose content changes, forever; a volume whose source has vanished keeps its content."""
        while True:
            await self._changed.wait_for_change(self._seen, self._tokens.seconds_to_renewal())
            # Read the count before the objects, so that a change in between leads to another round.
            self._seen = self._changed.count
            for volume in self._volume_specs():
                try:
                    await self._write_volume(volume)
                except UnresolvedError as error:
                    LOGGER.info("volume %s keeps its content: %s", volume["name"], error)
                except (ApiError, aiohttp.ClientError, TimeoutError) as error:
                    LOGGER.warning("volume %s not refreshed: %s", volume["name"], error)
                    # Without this pause, the loop would request a token again and again if it cannot be renewed.
                    await asyncio.sleep(RETRY_SECONDS)

    def container_mounts(self, container: Json) -> list[Mount]:
        """Return the volume mounts of a container; projected volumes are read-only, as in the kubelet."""
        known = {volume["name"]: volume for volume in self._volume_specs()}
        return [
            Mount(
                source=str(self._directory / each["name"]),
                target=each["mountPath"],
                read_only=bool(each.get("readOnly")) or volumes.is_projected(known[each["name"]]),
            )
            for each in container.get("volumeMounts") or []
        ]

    def remove_all(self) -> None:
        """Delete all volumes."""
        shutil.rmtree(self._directory, ignore_errors=True)

    async def _write_volume(self, volume: Json) -> None:
        refusal = volumes.unsupported_volume_reason(volume)
        if refusal is not None:
            raise UnresolvedError(refusal)
        name, directory = volume["name"], self._directory / volume["name"]
        if not volumes.is_projected(volume):
            directory.mkdir(parents=True, exist_ok=True)
            # Every process of the pod can write to an emptyDir, whatever the agent's umask is.
            directory.chmod(0o777)
            return
        found = await sources.fetch_objects(
            self._client, self.facts.pod["metadata"]["namespace"], volumes.referenced_objects(volume)
        )
        tokens = await self._tokens.valid_tokens(volumes.token_requests(volume))
        files = volumes.volume_files(volume, volumes.VolumeInputs(self.facts, found, tokens))
        if self._written.get(name) != files:
            projection.write_atomically(directory, files)
            self._written[name] = files
