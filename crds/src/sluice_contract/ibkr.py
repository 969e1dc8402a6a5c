"""The settings of provider ibkr."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from .provider_block import GatewayAddress, ProviderBlock
from .rule import ValidationRule
from .values import Host


class IBKRSettings(ProviderBlock, frozen=True):
    """Settings of provider ibkr: US stocks and ETFs, in US dollars, from an IB Gateway or TWS that is logged in."""

    example = {"host": "ib-gateway.acme.svc", "port": 4001}  # noqa: RUF012
    connection_fields = (("host",), ("port",), ("clientID",))
    rules = (
        ValidationRule(
            path=("spec",),
            rule="self.provider != 'ibkr' || has(self.ibkr)",
            message="provider ibkr needs spec.ibkr.host: set it to the host of an IB Gateway or TWS",
            holds=lambda job: job.spec.provider != "ibkr" or job.spec.ibkr is not None,
        ),
        ValidationRule(
            path=("spec",),
            rule="self.provider != 'ibkr' || !self.channels.exists(each, each == 'bars')",
            message="provider ibkr has no one-minute bars: remove bars from spec.channels, or use another provider",
            holds=lambda job: job.spec.provider != "ibkr" or "bars" not in job.spec.channels,
        ),
    )

    host: Annotated[
        Host,
        Meta(
            description="The host name or address of the IB Gateway or TWS. Its API has no encryption and no "
            "login: make it reachable only from the pod."
        ),
    ]
    port: Annotated[
        int,
        Meta(
            ge=1,
            le=65_535,
            description="The port of the API. Default: 4002, which IB Gateway uses for paper trading; its port "
            "for live trading is 4001. TWS uses 7497 and 7496.",
        ),
    ] = 4002
    client_id: Annotated[
        int,
        Meta(
            ge=0,
            le=2**31 - 1,
            description="The API client ID of this job. Default: 1. A gateway accepts one connection for each "
            "client ID: two jobs of a namespace with the same one wait for each other.",
        ),
    ] = 1

    @property
    def gateway(self) -> GatewayAddress:
        """The IB Gateway or TWS, whose API has neither TLS nor a login."""
        return GatewayAddress("spec.ibkr.host", self.host, self.port)
