"""The Firestore emulator of a test session: one that already runs, or one that the session starts."""

from __future__ import annotations

import asyncio
import json
import os
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from google.cloud import firestore

from sluice_devcluster import emulator, processes
from sluice_devcluster.layout import StateDirectory
from support.deadlines import scaled

VARIABLE = "FIRESTORE_EMULATOR_HOST"


@contextmanager
def firestore_emulator(folder: Path) -> Iterator[str]:
    """Yield the host:port of an emulator. An environment variable, set for the context, makes Google's client use it.

    `folder` is for the log and the process record of an emulator that this function starts.

    Raises:
        DevclusterError: no emulator runs and none can be started; the message says what is missing.
    """
    state = StateDirectory(folder)
    elsewhere = emulator.external_emulator_host()
    host = elsewhere or emulator.start_emulator(state)
    try:
        asyncio.run(emulator.wait_until_answering(state, host, ours=elsewhere is None))
        os.environ[VARIABLE] = host
        if elsewhere is None:
            asyncio.run(_warm_up())
        yield host
    finally:
        if elsewhere is None:
            os.environ.pop(VARIABLE, None)
            processes.stop_processes([state.record_file(emulator.COMPONENT)], 1.0)


async def _warm_up() -> None:
    """Write and read once without the runtime's deadlines: the emulator compiles the code of its first requests."""
    client = firestore.AsyncClient(project="demo-warm-up")
    documents = [client.document(f"tenants/warm-up/live_quotes/S{number}") for number in range(100)]
    batch = client.batch()
    for each in documents:
        batch.set(each, {"bid": 1.0})
    await batch.commit(timeout=scaled(60))
    await documents[0].get(timeout=scaled(60))


def load_rules(host: str, project: str, rules: Path) -> None:
    """Load security rules into an emulator for one project. All other projects keep theirs.

    Raises:
        OSError: the emulator does not answer, or refuses the rules.
    """
    files = [{"name": rules.name, "content": rules.read_text("utf-8")}]
    request = urllib.request.Request(
        f"http://{host}/emulator/v1/projects/{project}:securityRules",
        method="PUT",
        data=json.dumps({"rules": {"files": files}}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=scaled(30)):  # noqa: S310  likewise
        pass
