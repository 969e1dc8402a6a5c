"""The configuration of the page, config.json: which Firestore it reads, and how its users sign in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

_TEXTS = ("projectId", "apiKey", "authDomain", "emulatorHost")
EXAMPLE = "dashboard/config.example.json has an example"
PLACEHOLDER = "your-project"
_DOMAIN = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?")
_HOST_AND_PORT = re.compile(rf"({_DOMAIN.pattern}|\[[0-9A-Fa-f:]+\]):[0-9]{{1,5}}")


class ConfigError(Exception):
    """The configuration cannot be used. The message says what is wrong and how to correct it."""


class _CheckedFields(msgspec.Struct, rename="camel"):
    """The fields that the server checks; the page reads these and others."""

    project_id: str
    api_key: str | None = None
    auth_domain: str | None = None
    emulator_host: str | None = None


class PageConfig(msgspec.Struct, frozen=True):
    """A configuration that was checked.

    `document` is the whole of config.json. `auth_domain` is the domain of Firebase's sign-in page, `emulator_host` the
    emulator's host:port; each is None where the page does not use it.
    """

    document: dict[str, Any]
    auth_domain: str | None = None
    emulator_host: str | None = None


def read_config(path: Path) -> PageConfig:
    """Read and check config.json. Raises ConfigError if it cannot be read or lacks a field."""
    try:
        return parse_config(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}. {EXAMPLE}.") from error
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def parse_config(text: bytes) -> PageConfig:
    """Check the text of config.json. Raises ConfigError if it is not JSON, or lacks a field."""
    try:
        document = msgspec.json.decode(text.removeprefix(b"\xef\xbb\xbf"), type=dict[str, Any])
        return _checked_config(document)
    except msgspec.ValidationError:
        raise ConfigError(f"it is not an object with named fields. {EXAMPLE}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ConfigError(f"it is not JSON: check its commas, brackets and quotation marks. {EXAMPLE}.") from None


def _checked_config(document: dict[str, Any]) -> PageConfig:
    if document.get("projectId") is None:
        raise ConfigError(f"projectId is missing. {EXAMPLE}.")
    for name in _TEXTS:
        if document.get(name) is not None and not isinstance(document[name], str):
            raise ConfigError(f"{name} is not a text: write it in quotation marks. {EXAMPLE}.")
    fields = msgspec.convert(document, _CheckedFields)
    if fields.project_id == PLACEHOLDER:
        raise ConfigError(f"projectId is still {PLACEHOLDER}: write your project's ID, and its other fields.")
    if not fields.emulator_host and not fields.api_key:
        raise ConfigError(f"it has neither apiKey (of a Firebase project) nor emulatorHost. {EXAMPLE}.")
    if fields.emulator_host and not _HOST_AND_PORT.fullmatch(fields.emulator_host):
        raise ConfigError(f"emulatorHost is {fields.emulator_host!r}: write host:port, like 127.0.0.1:8080.")
    if fields.auth_domain and not _DOMAIN.fullmatch(fields.auth_domain):
        raise ConfigError(f"authDomain is {fields.auth_domain!r}: write the domain alone, like acme.firebaseapp.com.")
    return PageConfig(document, fields.auth_domain or None, fields.emulator_host or None)
