"""Dry runs of pod creations: the API server checks a pod as if it created it, and stores nothing."""

from __future__ import annotations

from typing import Any, Final

from .api import RequestSender
from .decoding import require_json_object

_QUERY: Final = {"dryRun": "All"}


class KubernetesPodDryRun:
    """The implementation of `ports.PodDryRun`."""

    def __init__(self, api: RequestSender) -> None:
        """`api` may send requests while this replica does not lead: a dry run writes nothing."""
        self._api = api

    async def dry_run_creation(self, manifest: dict[str, Any]) -> None:
        """Ask the API server whether it would create the pod. Raises `ClusterError` unless it would."""
        path = f"/api/v1/namespaces/{manifest['metadata']['namespace']}/pods"
        require_json_object(f"POST {path}", await self._api.send_request("POST", path, _QUERY, manifest))
