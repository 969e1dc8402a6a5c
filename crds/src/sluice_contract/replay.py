"""The settings of provider replay."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from .base import CamelStruct
from .provider_block import ClaimMount, ConfigMapMount, PodMount, ProviderBlock
from .rule import ValidationRule
from .values import ObjectName

TAPE_DIR: Final = "/etc/sluice/tape"

# A path below the root of the volume, which cannot lead out of it.
_PATH = r"^[A-Za-z0-9_][-._A-Za-z0-9]*(/[A-Za-z0-9_][-._A-Za-z0-9]*)*$"


class ConfigMapKeyReference(CamelStruct, frozen=True):
    """A reference to one key of a ConfigMap in the namespace of the job."""

    name: ObjectName
    key: Annotated[
        str,
        Meta(
            pattern=r"^[-._a-zA-Z0-9]+$",
            max_length=253,
            description="The key of the ConfigMap that holds the tape. Default: tape.csv.gz.",
        ),
    ] = "tape.csv.gz"


class TapeInVolumeClaim(CamelStruct, frozen=True):
    """A file in a PersistentVolumeClaim in the namespace of the job."""

    name: ObjectName
    path: Annotated[
        str,
        Meta(
            pattern=_PATH,
            max_length=253,
            description="The path of the tape file from the root of the volume. Default: tape.csv.gz.",
        ),
    ] = "tape.csv.gz"


class TapeLocation(CamelStruct, frozen=True):
    """The location of a recorded tape: CSV, plain or gzip.

    The columns are time_ms, symbol, bid, bid_size, ask, ask_size, exchange.
    """

    config_map_ref: Annotated[
        ConfigMapKeyReference | None,
        Meta(description="The ConfigMap key that holds the tape. A ConfigMap has room for 1 MiB."),
    ] = None
    claim_ref: Annotated[
        TapeInVolumeClaim | None,
        Meta(description="The PersistentVolumeClaim that holds the tape. It is mounted read-only."),
    ] = None

    @property
    def relative_path(self) -> str:
        """The path of the tape file, relative to the directory where its volume is mounted."""
        if self.claim_ref is not None:
            return self.claim_ref.path
        return self.config_map_ref.key if self.config_map_ref is not None else ""


class ReplaySettings(ProviderBlock, frozen=True):
    """Settings of provider replay, which streams a recorded tape."""

    example = {"tape": {"configMapRef": {"name": "tape"}}, "speed": 10}  # noqa: RUF012
    stream_has_end = True
    rules = (
        ValidationRule(
            path=("spec",),
            rule="self.provider != 'replay' || has(self.replay)",
            message="provider replay needs spec.replay.tape: name the ConfigMap or the PersistentVolumeClaim "
            "that holds the tape",
            standalone_message="provider replay needs spec.replay.tape: name the file of the tape",
            holds=lambda job: job.spec.provider != "replay" or job.spec.replay is not None,
        ),
        ValidationRule(
            path=("spec", "replay", "tape"),
            rule="has(self.configMapRef) != has(self.claimRef)",
            message="spec.replay.tape needs exactly one location: set either configMapRef or claimRef",
            holds=lambda job: (
                job.spec.replay is None
                or (job.spec.replay.tape.config_map_ref is None) != (job.spec.replay.tape.claim_ref is None)
            ),
        ),
    )

    tape: Annotated[TapeLocation, Meta(description="The tape to stream: set configMapRef or claimRef.")]
    speed: Annotated[
        float,
        Meta(
            ge=0,
            le=100_000,
            description="The speed, as a multiple of the recorded speed. Default: 1; 0 streams as fast as "
            "possible. At the end of the tape the job is Stopped with reason ReplayFinished.",
        ),
    ] = 1.0

    @property
    def data_mounts(self) -> tuple[PodMount, ...]:
        """The ConfigMap key or the claim with the tape."""
        tape = self.tape
        if tape.config_map_ref is not None:
            name, key = tape.config_map_ref.name, tape.config_map_ref.key
            return (ConfigMapMount(volume="tape", name=name, keys=(key,), directory=TAPE_DIR),)
        name = tape.claim_ref.name if tape.claim_ref is not None else ""
        return (ClaimMount(volume="tape", name=name, directory=TAPE_DIR),)
