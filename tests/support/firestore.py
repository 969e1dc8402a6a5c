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
def running_emulator(folder: Path) -> Iterator[str]:
    """Yield the host:port of an emulator.

    `folder` is for the log and the process record of an emulator that this function starts.

    Raises:
        DevclusterError: no emulator runs and none can be started; the message says what is missing.
    """
    state = StateDirectory(folder)
    elsewhere = emulator.external_emulator_host()
    host = elsewhere or emulator.start_emulator(state)
    try:
        asyncio.run(emulator.wait_until_answering(state, host, ours=elsewhere is None))
        if elsewhere is None:
            with default_emulator(host):
                asyncio.run(_warm_up())
        yield host
    finally:
        if elsewhere is None:
            processes.stop_processes([state.record_file(emulator.COMPONENT)], 1.0)


@contextmanager
def default_emulator(host: str) -> Iterator[None]:
    """Set the environment variable that makes Google's client use this emulator, while the context lasts."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = host
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


@contextmanager
def firestore_emulator(folder: Path) -> Iterator[str]:
    """Yield the host:port of a `running_emulator`, which is the default one while the context lasts."""
    with running_emulator(folder) as host, default_emulator(host):
        yield host


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
