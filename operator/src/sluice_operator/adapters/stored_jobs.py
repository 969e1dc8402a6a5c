"""The stored jobs as whole documents, one page after the other. The operator's own LISTs leave most of them out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import msgspec

from sluice_contract import identity
from sluice_contract.json_nesting import decode_without_deep_values

from ..domain.reduced_documents import decode_list_page
from .api import RequestSender
from .decoding import decoded_or_raise
from .paged_lists import OBJECTS_IN_PAGE

_decode_job = partial(decode_without_deep_values, msgspec.json.decode)


async def read_stored_jobs(api: RequestSender, namespaces: tuple[str, ...]) -> AsyncIterator[dict[str, Any]]:
    """Yield each IngestJob of the namespaces; without namespaces, of the whole cluster. Raises `ClusterError`."""
    for namespace in namespaces or ("",):
        scope = f"/namespaces/{namespace}" if namespace else ""
        token = ""
        while True:
            query = {"limit": str(OBJECTS_IN_PAGE)} | ({"continue": token} if token else {})
            path = f"/apis/{identity.API_VERSION}{scope}/{identity.PLURAL}"
            page = decoded_or_raise(f"GET {path}", await api.send_request("GET", path, query), decode_list_page)
            for item in page.items or ():
                yield decoded_or_raise(f"GET {path}", item, _decode_job)
            token = page.continue_token
            if not token:
                break
