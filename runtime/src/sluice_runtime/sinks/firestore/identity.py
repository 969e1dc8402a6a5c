"""The check of Google's identity: whose it is, and whether Google issues a token for it."""

from __future__ import annotations

import asyncio
from typing import Any

from google.auth import compute_engine
from google.auth.exceptions import GoogleAuthError, TransportError
from google.oauth2 import credentials as user_credentials
from google.oauth2 import service_account

from ...adapters.http_proxies import proxy_for_url, via_proxy
from ...domain.failure import UnusableVariableError
from ...domain.preflight import Finding
from .credentials import EMULATOR_VARIABLE, find_firestore_access, first_line_of_error
from .google_tokens import scoped, token_request

_QUESTION = "identity"
_TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105  an address, not a token
_ANY_PROJECT = "any"  # a token needs no project
_NO_IDENTITY = (
    "name the file of a service account key in GOOGLE_APPLICATION_CREDENTIALS, run `gcloud auth application-default "
    "login`, or run on a Google machine that has a service account"
)


async def check_google_identity() -> Finding:
    """Find the identity that the runtime would use without a mounted key, and request a token for it.

    Never raises: an error becomes a finding. With an emulator, the finding is not good, because it needs no identity.
    """
    try:
        access = await find_firestore_access(_ANY_PROJECT, None)
    except UnusableVariableError as error:
        return Finding(_QUESTION, False, str(error))
    except ValueError as error:
        return Finding(_QUESTION, False, f"{error}; {_NO_IDENTITY}")
    if access.emulator:
        sentence = f"{EMULATOR_VARIABLE} names the emulator {access.emulator}, which needs no identity; unset it"
        return Finding(_QUESTION, False, sentence)
    credentials = scoped(access.credentials)
    try:
        await asyncio.to_thread(credentials.refresh, token_request(credentials))
    except Exception as error:  # any error of Google's packages, of requests, or of the key itself
        return Finding(_QUESTION, False, _refresh_failure_text(error))
    return Finding(_QUESTION, True, f"Google issued a token for {_identity_text(credentials)}")


def _identity_text(credentials: Any) -> str:
    match credentials:
        case compute_engine.Credentials():
            return f"this machine's service account {credentials.service_account_email} (metadata server)"
        case service_account.Credentials():
            return f"the service account {credentials.service_account_email} (key file)"
        case user_credentials.Credentials():
            return "your own account (gcloud's application default credentials); give a production feed its own account"
    return f"application default credentials of the kind {type(credentials).__module__.rpartition('.')[2]}"


def _refresh_failure_text(error: Exception) -> str:
    """Return why there is no token, and what to do. The text contains no password of a proxy."""
    try:
        proxy = proxy_for_url(_TOKEN_URL)
    except UnusableVariableError as unusable:
        return str(unusable)
    # Google's errors also have the body of the response, which repeats the text.
    text = first_line_of_error(Exception(error.args[0]) if error.args else error)
    if proxy is not None:
        text = text.replace(proxy.url_with_credentials, proxy.address)
    if isinstance(error, TransportError) or not isinstance(error, GoogleAuthError):
        return f"no token was issued{via_proxy(proxy)}: {text}; check the network and the variables of the proxy"
    return f"Google issues no token: {text}; check this machine's clock, or create a new key for the account"
