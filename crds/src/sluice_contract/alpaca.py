"""The settings of provider alpaca."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from msgspec import Meta

from .provider_block import ConfigMapMount, ProviderBlock, SecretMount
from .provider_urls import CredentialsURL
from .rule import ValidationRule
from .values import ConfigMapReference, RestURL, SecretReference, StreamURL

ALPACA_STREAM_URL: Final = "wss://stream.data.alpaca.markets"
ALPACA_DATA_URL: Final = "https://data.alpaca.markets"
ALPACA_LIVE_TRADING_URL: Final = "https://api.alpaca.markets"
ALPACA_PAPER_TRADING_URL: Final = "https://paper-api.alpaca.markets"

ALPACA_CREDENTIALS_DIR: Final = "/etc/sluice/alpaca"
ALPACA_CA_DIR: Final = "/etc/sluice/alpaca-ca"

# The keys of the Secret that `spec.alpaca.credentialsSecretRef` names.
ALPACA_KEY_ID: Final = "ALPACA_KEY_ID"
ALPACA_SECRET_KEY: Final = "ALPACA_SECRET_KEY"  # noqa: S105  the name of a key, not a key

AlpacaFeed = Literal["iex", "sip", "delayed_sip", "test", "boats", "overnight", "crypto"]
AlpacaEngine = Literal["native", "sdk"]


class AlpacaSettings(ProviderBlock, frozen=True):
    """Settings of provider alpaca, which streams from Alpaca's market-data service."""

    example = {"feed": "iex", "credentialsSecretRef": {"name": "alpaca"}}  # noqa: RUF012
    default_hosts = ("*.alpaca.markets",)
    needs_credentials = True
    certificates_field = "spec.alpaca.caConfigMapRef"
    connection_fields = (("credentialsSecretRef.name",), ("streamURL", "feed"))
    rules = (
        ValidationRule(
            path=("spec",),
            rule="self.provider != 'alpaca' || self.dryRun || "
            "(has(self.alpaca) && has(self.alpaca.credentialsSecretRef))",
            message="provider alpaca needs spec.alpaca.credentialsSecretRef: name a Secret with the keys ALPACA_KEY_ID "
            "and ALPACA_SECRET_KEY, or set spec.dryRun to true to try it with simulated quotes",
            standalone_message="provider alpaca needs spec.alpaca.credentialsSecretRef.name: set it to any name, and "
            "the variables ALPACA_KEY_ID and ALPACA_SECRET_KEY to the key pair; or set spec.dryRun to true to try it "
            "with simulated quotes",
            holds=lambda job: job.spec.provider != "alpaca" or job.spec.dry_run or job.spec.credentials is not None,
        ),
    )

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

    @property
    def credentials(self) -> SecretMount | None:
        """The Secret with the key pair, which the pod mounts; None if the block names none."""
        if self.credentials_secret_ref is None:
            return None
        return SecretMount(
            volume="alpaca",
            name=self.credentials_secret_ref.name,
            keys=(ALPACA_KEY_ID, ALPACA_SECRET_KEY),
            directory=ALPACA_CREDENTIALS_DIR,
        )

    @property
    def settings_mounts(self) -> tuple[ConfigMapMount, ...]:
        """The ConfigMap with the certificates to trust."""
        if self.ca_config_map_ref is None:
            return ()
        return (ConfigMapMount(volume="alpaca-ca", name=self.ca_config_map_ref.name, directory=ALPACA_CA_DIR),)

    def credentials_urls(self) -> Iterator[CredentialsURL]:
        """Yield each URL to which a job sends its key pair.

        If `streamURL` is set, an absent REST URL means that the runtime sends no such request. Otherwise, it means
        Alpaca's own server. The key pair decides which of the two trading servers that is.
        """
        is_own = self.stream_url is None
        yield CredentialsURL("spec.alpaca.streamURL", self.stream_url or ALPACA_STREAM_URL, is_own)
        fields = (
            ("spec.alpaca.dataURL", self.data_url, (ALPACA_DATA_URL,)),
            ("spec.alpaca.tradingURL", self.trading_url, (ALPACA_LIVE_TRADING_URL, ALPACA_PAPER_TRADING_URL)),
        )
        for field, url, defaults in fields:
            if url:
                yield CredentialsURL(field, url)
            elif is_own:
                yield from (CredentialsURL(field, default, is_default=True) for default in defaults)
