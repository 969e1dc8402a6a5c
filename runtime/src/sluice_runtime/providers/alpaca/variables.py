"""The environment variables of provider alpaca, and the block of the spec that they declare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...settings import SettingsError, first_set_variable, variable
from ..provider import ProviderVariables

# The first name is Sluice's own; the others are accepted aliases.
KEY_ID: Final = ("ALPACA_KEY_ID", "ALPACA_API_KEY", "APCA_API_KEY_ID")
SECRET_KEY: Final = ("ALPACA_SECRET_KEY", "APCA_API_SECRET_KEY")
FEED: Final = "ALPACA_DATA_FEED"
STREAM_URL: Final = "ALPACA_STREAM_URL"
TRADING_URL: Final = "APCA_API_BASE_URL"
DATA_URL: Final = "APCA_API_DATA_URL"


class AlpacaVariables(ProviderVariables):
    """The variables with the key pair, the feed and the servers."""

    def read_block(self, environment: Mapping[str, str], *, is_dry_run: bool) -> dict[str, Any]:
        """Return spec.alpaca. Without credentials, the job must be a dry run, which streams simulated quotes."""
        missing = missing_key_problem(environment)
        has_one_key = missing is not None and any(
            first_set_variable(environment, names) for names in (KEY_ID, SECRET_KEY)
        )
        if has_one_key:
            raise SettingsError(
                f"{missing}; set both, or set neither and DRY_RUN=1 to try Sluice with simulated quotes"
            )
        if missing is not None and not is_dry_run:
            raise SettingsError(f"{missing}; set both, or set DRY_RUN=1 to try Sluice with simulated quotes")
        feed = variable(environment, FEED)
        fields = {
            "feed": feed.lower() if feed else None,
            "streamURL": variable(environment, STREAM_URL),
            "credentialsSecretRef": {"name": "environment"} if missing is None else None,
        }
        return {name: value for name, value in fields.items() if value is not None}

    def block_for_dry_run(self, block: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
        """Return the block without its Secret if the environment has no key pair: the quotes are then simulated."""
        if missing_key_problem(environment) is None:
            return block
        return {name: value for name, value in block.items() if name != "credentialsSecretRef"}


VARIABLES: Final = AlpacaVariables(
    credentials=(*KEY_ID, *SECRET_KEY),
    options=(TRADING_URL, DATA_URL),
    symbols=("ALPACA_SYMBOLS",),
    block_fields={"spec.alpaca.feed": FEED, "spec.alpaca.streamURL": STREAM_URL},
)


def missing_key_problem(environment: Mapping[str, str]) -> str | None:
    """Return which variables of Alpaca's key pair are not set, as the start of a sentence; None if both are set."""
    missing = [names[0] for names in (KEY_ID, SECRET_KEY) if first_set_variable(environment, names) is None]
    if not missing:
        return None
    if len(missing) == len((KEY_ID, SECRET_KEY)):
        return f"{KEY_ID[0]} and {SECRET_KEY[0]} are not set"
    given = next(name for name in (*KEY_ID, *SECRET_KEY) if variable(environment, name) is not None)
    return f"{missing[0]} is not set, although {given} is"


def read_url(environment: Mapping[str, str], name: str) -> str | None:
    """Return the URL of a REST interface; None if the variable is not set.

    Raises:
        SettingsError: the value is not the URL of a server.
    """
    value = variable(environment, name)
    if value is not None and not value.startswith(("http://", "https://")):
        raise SettingsError(f"{name} is not a server's URL; use one like https://paper-api.alpaca.markets")
    return value
