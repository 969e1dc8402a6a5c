"""Secrets, ConfigMaps and service-account tokens, fetched from the API server at each use."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterable

from sluice_devcluster.api import ApiClient, ApiError, Json
from sluice_devcluster.node.references import Reference
from sluice_devcluster.node.volumes import TokenRequest

COLLECTIONS = {"Secret": "secrets", "ConfigMap": "configmaps"}
# The Node authorizer of the API server learns of a pod's binding a moment after the pod's watch event.
AUTHORIZATION_SECONDS = 3.0


async def fetch_objects(
    client: ApiClient, namespace: str, references: Iterable[Reference]
) -> dict[Reference, Json | None]:
    """Return the current object of each reference; None for an object that does not exist."""
    unique = list(dict.fromkeys(references))
    found = await asyncio.gather(*(_fetch_object(client, namespace, each) for each in unique))
    return dict(zip(unique, found, strict=True))


async def _fetch_object(client: ApiClient, namespace: str, reference: Reference) -> Json | None:
    try:
        return await client.get(f"/api/v1/namespaces/{namespace}/{COLLECTIONS[reference.kind]}/{reference.name}")
    except ApiError as error:
        if error.status == 404:
            return None
        raise


class ServiceAccountTokens:
    """The tokens of one pod, bound to it; each is due for renewal after 80 % of its lifetime."""

    def __init__(self, client: ApiClient, pod: Json) -> None:
        """The pod has no tokens yet."""
        self._client = client
        self._pod = pod
        self._held: dict[TokenRequest, tuple[str, dt.datetime]] = {}

    async def valid_tokens(self, requests: Iterable[TokenRequest]) -> dict[TokenRequest, str]:
        """Return a token for each request, renewed if due; raise ApiError if the API server refuses one."""
        now = dt.datetime.now(dt.UTC)
        for request in requests:
            if request not in self._held or self._held[request][1] <= now:
                self._held[request] = await self._request_token(request)
        return {request: token for request, (token, _) in self._held.items()}

    def seconds_to_renewal(self) -> float | None:
        """Return the seconds until the next token is due for renewal; None if there are no tokens."""
        if not self._held:
            return None
        due = min(renewal for _, renewal in self._held.values())
        return max(0.0, (due - dt.datetime.now(dt.UTC)).total_seconds())

    async def _request_token(self, request: TokenRequest) -> tuple[str, dt.datetime]:
        metadata = self._pod["metadata"]
        account = self._pod["spec"].get("serviceAccountName") or "default"
        bound = {"kind": "Pod", "apiVersion": "v1", "name": metadata["name"], "uid": metadata["uid"]}
        spec = {"expirationSeconds": request.seconds, "boundObjectRef": bound}
        if request.audience:
            spec["audiences"] = [request.audience]
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        path = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{account}/token"
        requested = dt.datetime.now(dt.UTC)
        status = (await self._post_when_authorized(path, body))["status"]
        expires = dt.datetime.fromisoformat(status["expirationTimestamp"])
        return status["token"], requested + (expires - requested) * 0.8

    async def _post_when_authorized(self, path: str, body: Json) -> Json:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + AUTHORIZATION_SECONDS
        while True:
            try:
                return await self._client.post(path, body)
            except ApiError as error:
                if error.status != 403 or loop.time() > deadline:
                    raise
            await asyncio.sleep(0.02)
