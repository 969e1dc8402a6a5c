"""The settings of provider replay."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from .base import CamelStruct
from .values import ConfigMapKeyReference, ObjectName

# A path below the root of the volume, which cannot lead out of it.
_PATH = r"^[A-Za-z0-9_][-._A-Za-z0-9]*(/[A-Za-z0-9_][-._A-Za-z0-9]*)*$"


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


class ReplaySettings(CamelStruct, frozen=True):
    """Settings of provider replay, which streams a recorded tape."""

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
