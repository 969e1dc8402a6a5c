"""How a process may reach Firestore: an emulator, or credentials and the project that they belong to."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any, NamedTuple

import google.auth
from google.auth import environment_vars
from google.auth.credentials import Credentials
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcAsyncIOTransport
from google.oauth2 import service_account

from ..decoding import decoded
from ..user_text import UserTextError, read_user_text

_EMULATOR_PROJECT = "google-cloud-firestore-emulator"  # what Google's clients take where nothing names a project
_NO_PROJECT = "neither they nor GOOGLE_CLOUD_PROJECT name a project"


class Access(NamedTuple):
    """`emulator` is the host:port of an emulator, which needs no credentials; "" for the real service."""

    project: str
    credentials: Credentials | None
    emulator: str


async def find_access(project: str, key: Path | None) -> Access:
    """Return how to reach Firestore: by the emulator of the environment, a service account key, or an identity.

    `project` may be empty: then the environment or the credentials name it. `key` is where a service account key may
    be; without that file the application default credentials are used.

    Raises:
        ValueError: the file is not a service account key, or there are no credentials, or nothing names a project.
    """
    emulator = os.environ.get("FIRESTORE_EMULATOR_HOST", "")
    declared = project or _project_of_environment()
    try:
        if (found := _service_account(key)) is not None:
            return Access(_required(declared or found.project_id), found, emulator)
        if emulator:
            return Access(declared or _EMULATOR_PROJECT, None, emulator)
        # The search for an identity of this machine may go over the network: the loop must not wait for it.
        identity, its_project = await asyncio.to_thread(google.auth.default, FirestoreGrpcAsyncIOTransport.AUTH_SCOPES)
        return Access(_required(declared or its_project), identity, "")
    except Exception as error:  # whatever may be in that file, or may be wrong with this machine's identity
        raise ValueError(f"there are no usable credentials for Firestore ({first_line(error)})") from error


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says, at most 300 characters, or the name of its type."""
    return (str(error) or type(error).__name__).splitlines()[0][:300]


def _project_of_environment() -> str:
    return os.environ.get(environment_vars.PROJECT) or os.environ.get(environment_vars.LEGACY_PROJECT) or ""


def _required(project: str | None) -> str:
    if not project:
        raise ValueError(_NO_PROJECT)
    return project


def _service_account(key: Path | None) -> service_account.Credentials | None:
    """Return the credentials of the key in the file `key`, else in that of GOOGLE_APPLICATION_CREDENTIALS; else None.

    None also where that variable names a pipe or another kind of credentials: Google's client reads those itself.

    Raises:
        Exception: the file cannot be read, or holds no key.
    """
    named = Path(os.environ.get(environment_vars.CREDENTIALS, ""))
    is_named = (key is None or not key.exists()) and named.is_file() and "FIRESTORE_EMULATOR_HOST" not in os.environ
    file = named if is_named else key
    if file is None or not file.exists():
        return None
    try:
        fields = decoded(read_user_text(file).encode(), dict[str, Any])
    except UserTextError as error:
        raise ValueError(f"{file}: {error}") from None
    if is_named and fields.get("type") != "service_account":
        return None
    found: service_account.Credentials = service_account.Credentials.from_service_account_info(fields)  # type: ignore[no-untyped-call]
    return found.with_quota_project_from_environment() if is_named else found  # type: ignore[no-untyped-call]
