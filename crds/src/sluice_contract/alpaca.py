"""The block of provider alpaca."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from .base import CamelStruct
from .values import ConfigMapReference, RestURL, SecretReference, StreamURL

AlpacaFeed = Literal["iex", "sip", "delayed_sip", "test", "boats", "overnight", "crypto"]
AlpacaEngine = Literal["native", "sdk"]


class Alpaca(CamelStruct, frozen=True):
    """Alpaca's market-data stream."""

    feed: Annotated[AlpacaFeed, Meta(description="Which of Alpaca's feeds to stream.")] = "iex"
    credentials_secret_ref: Annotated[
        SecretReference | None,
        Meta(
            description="The Secret with the keys ALPACA_KEY_ID and ALPACA_SECRET_KEY. May be absent only in a "
            "dry run, which then streams simulated quotes."
        ),
    ] = None
    stream_url: Annotated[
        StreamURL | None,
        Meta(
            description="The whole URL of the stream, in place of the feed's own: a proxy or a test server. The REST "
            "interfaces that go with it are asked only where dataURL and tradingURL say.",
        ),
    ] = None
    data_url: Annotated[
        RestURL | None,
        Meta(description="Where Alpaca's market-data REST interface is, which is asked for the newest quotes."),
    ] = None
    trading_url: Annotated[
        RestURL | None,
        Meta(description="Where Alpaca's trading REST interface is, which the preflight asks about the account."),
    ] = None
    engine: Annotated[
        AlpacaEngine,
        Meta(
            description="What speaks with Alpaca: native, the runtime's own client, or sdk, alpaca-py under the same "
            "supervision."
        ),
    ] = "native"
    ca_config_map_ref: Annotated[
        ConfigMapReference | None,
        Meta(
            description="A ConfigMap whose key ca.crt holds the certificates (PEM) to trust for streamURL, dataURL and "
            "tradingURL."
        ),
    ] = None
