"""The volumes of one pod on this node: written before its containers start, kept fresh while they run."""

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
    """The volumes of one pod; `directory` is theirs alone."""

    def __init__(self, client: ApiClient, facts: PodFacts, directory: Path, changed: ChangeCounter) -> None:
        """Writes nothing yet; `changed` pulses when the pod or an object in its namespace has changed."""
        self.facts = facts
        self._client = client
        self._directory = directory
        self._changed = changed
        self._tokens = sources.ServiceAccountTokens(client, facts.pod)
        self._written: dict[str, volumes.Payload] = {}
        self._seen = changed.count

    def _volume_specs(self) -> list[Json]:
        return list(self.facts.pod["spec"].get("volumes") or [])

    async def write_all(self) -> None:
        """Writes every volume; raises UnresolvedError with the kubelet's sentence when one cannot be provided."""
        self._seen = self._changed.count
        for volume in self._volume_specs():
            try:
                await self._write_volume(volume)
            except (UnresolvedError, ApiError) as error:
                raise UnresolvedError(f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}') from error

    async def refresh_forever(self) -> None:
        """Rewrites volumes whose content has changed, for ever; what has vanished stays as it was."""
        while True:
            await self._changed.wait_for_change(self._seen, self._tokens.seconds_to_renewal())
            # Taken before the objects are read: a change in the meantime leads to another round.
            self._seen = self._changed.count
            for volume in self._volume_specs():
                try:
                    await self._write_volume(volume)
                except UnresolvedError as error:
                    LOGGER.info("volume %s is left as it is: %s", volume["name"], error)
                except (ApiError, aiohttp.ClientError, TimeoutError) as error:
                    LOGGER.warning("volume %s was not refreshed: %s", volume["name"], error)
                    # Without the pause a token that cannot be renewed would be asked for without end.
                    await asyncio.sleep(RETRY_SECONDS)

    def container_mounts(self, container: Json) -> list[Mount]:
        """What a container mounts; projected volumes are read-only, as they are with the kubelet."""
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
        """Deletes every volume."""
        shutil.rmtree(self._directory, ignore_errors=True)

    async def _write_volume(self, volume: Json) -> None:
        refusal = volumes.unsupported_volume_reason(volume)
        if refusal is not None:
            raise UnresolvedError(refusal)
        name, directory = volume["name"], self._directory / volume["name"]
        if not volumes.is_projected(volume):
            directory.mkdir(parents=True, exist_ok=True)
            # An emptyDir belongs to everybody in its pod, whatever the agent's umask.
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
