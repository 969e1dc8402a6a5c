"""The settings of provider synthetic."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from .base import CamelStruct
from .provider_block import ProviderBlock


class SyntheticFault(CamelStruct, frozen=True):
    """A simulated fault in the synthetic quotes. It occurs at the same time in each run."""

    kind: Annotated[
        Literal["gap", "halt", "mute"],
        Meta(
            description="gap: the connection is lost and cannot be restored until the fault ends; halt: trading "
            "in all symbols is halted and resumes when the fault ends; mute: the connection stays "
            "open and no quotes arrive."
        ),
    ]
    after_seconds: Annotated[
        int, Meta(ge=0, le=1_000_000, description="The start of the fault, in seconds after the first connection.")
    ]
    for_seconds: Annotated[int, Meta(ge=1, le=1_000_000, description="The duration of the fault, in seconds.")]


class SyntheticSettings(ProviderBlock, frozen=True):
    """Settings of provider synthetic, which generates quotes. The same seed and symbol give the same prices."""

    example = {"seed": 7, "quotesPerSecond": 20}  # noqa: RUF012

    seed: Annotated[int, Meta(ge=0, le=2**31 - 1, description="The seed of the generated prices. Default: 1.")] = 1
    quotes_per_second: Annotated[
        int,
        Meta(ge=1, le=100_000, description="The number of quotes per second, over all symbols together. Default: 5."),
    ] = 5
    faults: Annotated[
        list[SyntheticFault],
        Meta(
            max_length=50,
            description="Simulated faults, which show how a fault looks without a provider. Absent: no faults.",
            extra_json_schema={"x-kubernetes-list-type": "atomic"},
        ),
    ] = []  # noqa: RUF012
