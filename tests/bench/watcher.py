"""`python -m bench.watcher STATE NAMESPACE NAME`: a watch of one IngestJob that is independent of its pod.

It prints one JSON line for each event: `at` (Unix seconds when the event was decoded) and the `document`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from sluice_contract import identity
from sluice_devcluster.api import ApiClient
from sluice_devcluster.layout import StateDirectory


async def watch(state: StateDirectory, namespace: str, name: str) -> None:
    """Print the events until the API server ends the watch or the process is ended."""
    settings = state.load_settings()
    assert settings is not None, "the cluster is down"
    path = f"/apis/{identity.API_VERSION}/namespaces/{namespace}/{identity.PLURAL}"
    async with ApiClient(settings.apiserver_port, state.pki, "admin") as api:
        async for event in api.watch(path, {"fieldSelector": f"metadata.name={name}"}):
            at = time.time()
            if event["type"] != "BOOKMARK":
                print(json.dumps({"at": at, "document": event["object"]}), flush=True)


if __name__ == "__main__":
    asyncio.run(watch(StateDirectory(Path(sys.argv[1])), sys.argv[2], sys.argv[3]))
