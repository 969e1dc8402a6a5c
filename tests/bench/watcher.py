"""`python -m bench.watcher STATE PATH`: a watch of one collection that is independent of the pods.

It prints a line once it has a connection to the API server. Then it prints one JSON line for each event: `at` (Unix
seconds when the event was decoded) and the `document`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from sluice_devcluster.api import ApiClient
from sluice_devcluster.layout import StateDirectory


async def watch(state: StateDirectory, path: str) -> None:
    """Print the events until the API server ends the watch or the process is ended."""
    settings = state.load_settings()
    assert settings is not None, "the cluster is down"
    async with ApiClient(settings.apiserver_port, state.pki, "admin") as api:
        await api.get(path)
        print("{}", flush=True)
        async for event in api.watch(path, {}):
            at = time.time()
            if event["type"] != "BOOKMARK":
                print(json.dumps({"at": at, "document": event["object"]}), flush=True)


if __name__ == "__main__":
    asyncio.run(watch(StateDirectory(Path(sys.argv[1])), sys.argv[2]))
