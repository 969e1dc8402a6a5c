"""The block of provider ibkr."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from .base import CamelStruct
from .values import Host


class IBKR(CamelStruct, frozen=True):
    """Interactive Brokers, by way of an IB Gateway or TWS that is logged in: US stocks and ETFs, in US dollars."""

    host: Annotated[
        Host,
        Meta(
            description="The name or address of the IB Gateway or TWS. Its API is neither encrypted nor protected by a "
            "login: keep it within reach of the pod alone."
        ),
    ]
    port: Annotated[
        int,
        Meta(
            ge=1,
            le=65_535,
            description="The port of its API. IB Gateway: 4002 for paper trading, 4001 for live; TWS: 7497 and 7496.",
        ),
    ] = 4002
    client_id: Annotated[
        int,
        Meta(
            ge=0,
            le=2**31 - 1,
            description="The API client that this job is. A gateway takes one connection for each: two jobs of a "
            "namespace with the same one wait for each other.",
        ),
    ] = 1
