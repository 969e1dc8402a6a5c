"""The checks of config.json: each error says what is wrong and what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sluice_page_server.config import ConfigError, parse_config, read_config

EXAMPLE = Path(__file__).parents[3] / "dashboard/config.example.json"


def test_the_example_is_accepted_once_it_names_a_project() -> None:
    text = EXAMPLE.read_bytes().replace(b"your-project", b"acme-1")
    found = parse_config(text)
    assert found.auth_domain == "acme-1.firebaseapp.com"
    assert found.document == json.loads(text)


def test_the_example_as_it_is_says_what_to_do() -> None:
    with pytest.raises(ConfigError, match="projectId is still your-project: write your project's ID"):
        read_config(EXAMPLE)


def test_an_emulator_needs_no_key() -> None:
    assert parse_config(b'{"projectId": "p", "emulatorHost": "127.0.0.1:8080"}').emulator_host == "127.0.0.1:8080"


def test_a_byte_order_mark_is_ignored() -> None:
    assert parse_config(b'\xef\xbb\xbf{"projectId": "p", "apiKey": "k"}').document == {"projectId": "p", "apiKey": "k"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"", "it is not JSON"),
        (b"\xff\xfe{\x00}\x00", "it is not JSON"),
        (b"[]", "it is not an object with named fields"),
        (b"{}", "projectId is missing"),
        (b'{"projectId": 1}', "projectId is not a text: write it in quotation marks"),
        (b'{"projectId": null}', "projectId is missing"),
        (b'{"projectId": "p", "apiKey": []}', "apiKey is not a text"),
        (b'{"projectId": "p"}', "neither apiKey (of a Firebase project) nor emulatorHost"),
        (b'{"projectId": "p", "emulatorHost": "localhost"}', "write host:port, like 127.0.0.1:8080"),
        (b'{"projectId": "p", "emulatorHost": "a:1; script-src *"}', "write host:port"),
        (b'{"projectId": "p", "apiKey": "k", "authDomain": "https://a.b/"}', "write the domain alone"),
    ],
)
def test_a_bad_configuration_says_what_to_do(text: bytes, sentence: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_config(text)
    assert sentence in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config\.json cannot be read: No such file"):
        read_config(tmp_path / "config.json")
