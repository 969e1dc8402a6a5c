"""The settings of provider alpaca."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from .base import CamelStruct
from .values import ConfigMapReference, RestURL, SecretReference, StreamURL

AlpacaFeed = Literal["iex", "sip", "delayed_sip", "test", "boats", "overnight", "crypto"]
AlpacaEngine = Literal["native", "sdk"]


class AlpacaSettings(CamelStruct, frozen=True):
    """Settings of provider alpaca, which streams from Alpaca's market-data service."""

    feed: Annotated[AlpacaFeed, Meta(description="The Alpaca feed to stream. Default: iex.")] = "iex"
    credentials_secret_ref: Annotated[
        SecretReference | None,
        Meta(
            description="The Secret with the keys ALPACA_KEY_ID and ALPACA_SECRET_KEY. It may be absent only in a "
            "dry run, which then streams simulated quotes."
        ),
    ] = None
    stream_url: Annotated[
        StreamURL | None,
        Meta(
            description="The full URL of a proxy or test server to stream from. Absent: the feed's own URL. If "
            "streamURL is set, REST requests are sent only to the servers that dataURL and tradingURL "
            "name.",
        ),
    ] = None
    data_url: Annotated[
        RestURL | None,
        Meta(
            description="The URL of Alpaca's market-data REST API, which provides the newest quotes. Absent: "
            "Alpaca's own URL, or no requests if streamURL is set."
        ),
    ] = None
    trading_url: Annotated[
        RestURL | None,
        Meta(
            description="The URL of Alpaca's trading REST API, which has the market's calendar and the account for "
            "the preflight check. Absent: Alpaca's own URL, or no requests if streamURL is set."
        ),
    ] = None
    engine: Annotated[
        AlpacaEngine,
        Meta(
            description="The client that connects to Alpaca: native is the runtime's own client, sdk is alpaca-py "
            "under the same supervision. Default: native."
        ),
    ] = "native"
    ca_config_map_ref: Annotated[
        ConfigMapReference | None,
        Meta(
            description="A ConfigMap whose key ca.crt holds the certificates (PEM) to trust for streamURL, "
            "dataURL and tradingURL."
        ),
    ] = None
