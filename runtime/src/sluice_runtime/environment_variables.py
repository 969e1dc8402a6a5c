"""The environment variables of a standalone runtime, without what an env file adds to their values."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from typing import Final

from sluice_contract.env_file_values import clean_value, env_file_mistakes

from .providers.registry import load_all_providers
from .settings import SettingsError
from .standalone_settings import COLLECTION, NUMBERS, PROJECT, STATE_DIR, SYMBOLS, TENANT

SERVE_VARIABLES: Final = ("SLUICE_SERVE_KEY", "SLUICE_SERVE_SECRET")
STATE_VARIABLES: Final = (STATE_DIR, "XDG_STATE_HOME")
_PROXIES: Final = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
# Every variable that a standalone runtime or one of its libraries reads; a test compares them with the sources.
VARIABLES: Final = (
    *TENANT,
    SYMBOLS,
    *(name for _, provider in load_all_providers() for name in provider.variables.names),
    *PROJECT,
    *COLLECTION,
    *NUMBERS,
    *STATE_VARIABLES,
    *SERVE_VARIABLES,
    "DRY_RUN",
    "FIRESTORE_EMULATOR_HOST",
    "GCLOUD_PROJECT",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_CLOUD_PROJECT",
    "INGEST_ENABLED",
    "INGEST_ENABLED_FILE",
    "INGEST_ENABLED_POLL_S",
    "LOG_LEVEL",
    "LOG_QUOTES",
    "RECONNECT_BACKOFF_BASE_S",
    "RECONNECT_BACKOFF_MAX_S",
    "SLUICE_HTTP_TOKEN",
    "SSL_CERT_FILE",
    *_PROXIES,
    *(name.lower() for name in _PROXIES),
)


def clean_environment(environment: MutableMapping[str, str], names: Iterable[str] = VARIABLES) -> None:
    """Remove the spaces and line ends around the values of the variables `names`.

    The environment itself is changed, because Google's client and OpenSSL read it too.

    Raises:
        SettingsError: a value has quotation marks or a comment of an env file. The message names each such variable.
    """
    names = tuple(names)
    if mistakes := env_file_mistakes(environment, names):
        raise SettingsError("; ".join(mistakes))
    for name in names:
        if (value := environment.get(name)) is not None and value != clean_value(value):
            environment[name] = clean_value(value)
