"""The warning about a key pair that is sent without encryption."""

from __future__ import annotations

import pytest

from sluice_contract.alpaca import AlpacaSettings
from sluice_runtime.providers.alpaca.clear_text import clear_text_warning
from sluice_runtime.providers.alpaca.endpoints import rest_endpoints


def warning(stream: str | None = None, data: str | None = None, fallback: str | None = None) -> str | None:
    alpaca = AlpacaSettings(stream_url=stream, data_url=data)
    return clear_text_warning(alpaca, rest_endpoints(alpaca, fallback, None))


@pytest.mark.parametrize(
    ("stream", "data"),
    [
        (None, None),
        ("wss://proxy.example/v2/iex", "https://proxy.example"),
        ("ws://127.0.0.1:8765/v2/iex", "http://localhost:8765"),
        ("ws://[::1]:8765/v2/iex", None),
    ],
)
def test_encrypted_connections_and_those_on_this_machine_cause_no_warning(stream: str | None, data: str | None) -> None:
    assert warning(stream, data) is None


def test_each_server_without_encryption_is_named_once_and_without_credentials() -> None:
    said = warning("ws://me:secret@proxy.example:8080/v2/iex", "http://data.example/x", "http://data.example")
    assert said == (
        "the key pair is sent without encryption to ws://proxy.example:8080, http://data.example, and everyone on the "
        "way can read it; use a URL with wss:// or https://"
    )


def test_a_server_that_cannot_be_named_causes_the_warning_too() -> None:
    said = warning("ws://proxy%2eexample/v2/iex")
    assert said is not None
    assert said.startswith("the key pair is sent without encryption to a server, ")
