"""Access to Firestore: an emulator, or credentials and their project."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from google.auth import environment_vars
from google.auth.credentials import Credentials

from sluice_contract.identity import DEFAULT_PROJECT

from ...adapters.decoding import decode_json
from ...adapters.user_text import UserTextError, read_user_text
from ...domain.failure import UnusableVariableError

EMULATOR_VARIABLE = "FIRESTORE_EMULATOR_HOST"
FIRESTORE_HOST = "firestore.googleapis.com"
_HOST_AND_PORT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%\w]+\]|[^\[\]/@\s]+):(?P<port>[0-9]{1,5})")
_TOKENLESS_ANSWER = "No access token in response"  # Google's words
_NO_PROJECT = "neither they nor GOOGLE_CLOUD_PROJECT name a project"


class FirestoreAccess(NamedTuple):
    """The project, and the credentials or the emulator, for a connection to Firestore.

    `emulator` is the host:port of an emulator, which needs no credentials; "" for the real service.
    """

    project: str
    credentials: Credentials | None
    emulator: str

    @property
    def target(self) -> str:
        """The host:port of the emulator or of the real service."""
        return self.emulator or f"{FIRESTORE_HOST}:443"


def emulator_address(environment: Mapping[str, str]) -> str:
    """Return the host:port of the emulator that FIRESTORE_EMULATOR_HOST names; "" if it is not set.

    A URL with http:// and an IPv6 address without brackets are accepted, because other tools accept them.

    Raises:
        UnusableVariableError: the value is not host:port.
    """
    value = environment.get(EMULATOR_VARIABLE, "").removeprefix("\ufeff").strip()
    if not value:
        return ""
    place = re.sub(r"^http://", "", value, flags=re.IGNORECASE).removesuffix("/")
    found = _HOST_AND_PORT.fullmatch(place)
    if found is None or not 0 < int(found["port"]) < 1 << 16:
        raise UnusableVariableError(
            f"{EMULATOR_VARIABLE} is {value!r}; write host:port, such as 127.0.0.1:8080 or [::1]:8080"
        )
    host = found["host"]
    return f"[{host}]:{found['port']}" if ":" in host.strip("[]") and not host.startswith("[") else place


async def find_firestore_access(project: str, key: Path | None) -> FirestoreAccess:
    """Return how to reach Firestore: with a service account key, at an emulator, or with the machine's identity.

    They are tried in this order. If `project` is empty, the environment or the credentials name it; an emulator then
    uses `DEFAULT_PROJECT`. `key` is the path of a service account key; without that file, the application default
    credentials are used.

    Raises:
        ValueError: the file is not a service account key, or there are no credentials, or nothing names a project.
        UnusableVariableError: the address of the emulator or of the proxy is malformed.
    """
    emulator = emulator_address(os.environ)
    declared = project or _project_of_environment()
    try:
        if (file := _read_key_file(key)) is not None:
            found = await asyncio.to_thread(_credentials_of_key, file)
            return FirestoreAccess(_required_project(declared or file.fields.get("project_id")), found, emulator)
        if emulator:
            return FirestoreAccess(declared or DEFAULT_PROJECT, None, emulator)
        # The search for the machine's identity may use the network, so it must not block the event loop.
        identity, its_project = await asyncio.to_thread(_find_machine_identity)
        return FirestoreAccess(_required_project(declared or its_project), identity, "")
    except UnusableVariableError:
        raise
    except Exception as error:  # any error of the key file or of the machine's identity
        raise ValueError(f"there are no usable credentials for Firestore ({first_line_of_error(error)})") from error


def first_line_of_error(error: BaseException) -> str:
    """Return the first line of an error's text, at most 300 characters, or the name of its type.

    What Google's packages append about an answer without a token is left out, because they append the answer.
    """
    before, found, _ = (str(error) or type(error).__name__).splitlines()[0].partition(_TOKENLESS_ANSWER)
    return f"{before}{found}"[:300]


def _project_of_environment() -> str:
    return os.environ.get(environment_vars.PROJECT) or os.environ.get(environment_vars.LEGACY_PROJECT) or ""


def _required_project(project: str | None) -> str:
    if not project:
        raise ValueError(_NO_PROJECT)
    return project


class _KeyFile(NamedTuple):
    """The fields of a service account key. `is_named`: GOOGLE_APPLICATION_CREDENTIALS names its file."""

    fields: dict[str, Any]
    is_named: bool


def _read_key_file(key: Path | None) -> _KeyFile | None:
    """Return the service account key in the file `key`, otherwise in GOOGLE_APPLICATION_CREDENTIALS, otherwise None.

    Also returns None if the variable names a pipe or another kind of credentials: Google's client reads those itself.

    Raises:
        Exception: the file cannot be read or contains no JSON object.
    """
    named = Path(os.environ.get(environment_vars.CREDENTIALS, ""))
    is_named = (key is None or not key.exists()) and named.is_file() and EMULATOR_VARIABLE not in os.environ
    file = named if is_named else key
    if file is None or not file.exists():
        return None
    try:
        fields = decode_json(read_user_text(file).encode(), dict[str, Any])
    except UserTextError as error:
        raise ValueError(f"{file}: {error}") from None
    if is_named and fields.get("type") != "service_account":
        return None
    return _KeyFile(fields, is_named)


# Google's libraries for tokens take some 0.1 s to load. The two functions below run in a thread, so that the event loop
# does not wait for them.


def _credentials_of_key(file: _KeyFile) -> Credentials:
    from .google_tokens import credentials_of_key  # noqa: PLC0415  an emulator needs no tokens

    found = credentials_of_key(file.fields)
    return found.with_quota_project_from_environment() if file.is_named else found  # type: ignore[no-untyped-call]


def _find_machine_identity() -> tuple[Credentials, str | None]:
    from .google_tokens import find_machine_identity  # noqa: PLC0415  an emulator needs no tokens

    return find_machine_identity()
