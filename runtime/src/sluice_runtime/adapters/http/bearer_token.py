"""The bearer token of the pod's HTTP interface, in a file that the kubelet mounts from a Secret."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from sluice_contract import identity

from ..user_text import UserTextError, read_user_text

RequestCheck = Callable[[web.Request], str | None]


def create_token_check(file: Path | None) -> RequestCheck:
    """Return a check that refuses requests without the token in `file`.

    The check returns None for an allowed request, otherwise why it is refused. It reads the file at each request,
    so that a rotated Secret applies immediately.
    """

    def refusal(request: web.Request) -> str | None:
        if file is None:
            return f"{request.method} needs a token; name a Secret with the key token in spec.http.tokenSecretRef"
        try:
            token = read_user_text(file).strip().encode()
        except OSError:
            token = b""
        except UserTextError as error:
            return f"the key {identity.TOKEN_KEY} of the Secret of spec.http.tokenSecretRef cannot be read: {error}"
        if not token:
            return (
                f"the Secret of spec.http.tokenSecretRef is missing or its key {identity.TOKEN_KEY} is empty; create it"
            )
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        given = given.strip().removeprefix("\ufeff")  # a shell inserts this from a file with a byte order mark
        if scheme.lower() == "bearer" and hmac.compare_digest(given.encode("utf-8", "surrogatepass"), token):
            return None
        return (
            f"{request.method} needs the header Authorization: Bearer TOKEN, with the token of spec.http.tokenSecretRef"
        )

    return refusal
