"""Quote documents from Firestore's REST interface, with the times that the emulator sets."""

from __future__ import annotations

import json
import urllib.request
from typing import Any


def quote_documents(host: str, project: str, tenant: str) -> list[dict[str, Any]]:
    """Return all quote documents of a tenant, each with `fields`, `createTime` and `updateTime`."""
    url = f"http://{host}/v1/projects/{project}/databases/(default)/documents/tenants/{tenant}/live_quotes"
    request = urllib.request.Request(f"{url}?pageSize=100", headers={"Authorization": "Bearer owner"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  the emulator, on this machine
        found: list[dict[str, Any]] = json.load(answer).get("documents", [])
    return found
