"""Keys of Google service accounts, as Google's console saves them."""

from __future__ import annotations

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def service_account_key(project: str) -> dict[str, str]:
    """Return the fields of a valid key in `project` for an account that does not exist."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return {
        "type": "service_account",
        "project_id": project,
        "client_email": "sluice@demo.example",
        "token_uri": "https://oauth2.example/token",
        "private_key": private.private_bytes(encoding, form, serialization.NoEncryption()).decode(),
    }
