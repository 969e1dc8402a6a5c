"""A Firestore client under security rules: it signs in with the unsigned ID tokens that the emulator accepts."""

from __future__ import annotations

import base64
import http.client
import json
from typing import Any

from support.deadlines import scaled

PROJECT = "demo-rules"
OWNER = "owner"  # the token of a server, which bypasses the rules
_FIELDS = {"fields": {"symbol": {"stringValue": "SPY"}}}


def unsigned_token(uid: str, **claims: str) -> str:
    """Return an ID token of the user `uid` with custom claims, like Firebase's `mockUserToken`."""
    payload = {
        "iss": f"https://securetoken.google.com/{PROJECT}",
        "aud": PROJECT,
        "iat": 0,
        "exp": 3600,
        "auth_time": 0,
        "sub": uid,
        "user_id": uid,
        "firebase": {"sign_in_provider": "custom", "identities": {}},
        **claims,
    }
    parts = ({"alg": "none", "typ": "JWT"}, payload)
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return f"{'.'.join(encoded)}."


class RulesClient:
    """The REST interface of an emulator, over one connection. Each method returns the status of the response."""

    def __init__(self, emulator: str, project: str = PROJECT) -> None:
        """`emulator` is its host:port."""
        self._documents = f"/v1/projects/{project}/databases/(default)/documents"
        self._connection = http.client.HTTPConnection(emulator, timeout=scaled(10))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def get(self, token: str | None, document: str) -> int:
        """Read a document."""
        return self._request("GET", f"/{document}", token)

    def list(self, token: str | None, document: str) -> int:
        """List the collection that contains the document."""
        return self._request("GET", f"/{document.rpartition('/')[0]}", token)

    def create(self, token: str | None, document: str) -> int:
        """Create another document in the collection that contains the document."""
        return self._request("POST", f"/{document.rpartition('/')[0]}?documentId=created", token, _FIELDS)

    def update(self, token: str | None, document: str) -> int:
        """Replace a document; as the owner, create it if it does not exist."""
        return self._request("PATCH", f"/{document}", token, _FIELDS)

    def delete(self, token: str | None, document: str) -> int:
        """Delete a document."""
        return self._request("DELETE", f"/{document}", token)

    def query_group(self, token: str | None, collection: str) -> int:
        """Query all collections with an ID, below all tenants."""
        query = {"structuredQuery": {"from": [{"collectionId": collection, "allDescendants": True}]}}
        return self._request("POST", ":runQuery", token, query)

    def _request(self, method: str, path: str, token: str | None, body: dict[str, Any] | None = None) -> int:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        url = f"{self._documents}{path}"
        self._connection.request(method, url, json.dumps(body) if body is not None else None, headers)
        response = self._connection.getresponse()
        response.read()
        return response.status
