"""The Firestore emulator of a test session: one that already runs, or one that the session starts."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sluice_devcluster import emulator, processes
from sluice_devcluster.layout import StateDirectory

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
        yield host
    finally:
        if elsewhere is None:
            os.environ.pop(VARIABLE, None)
            processes.stop_processes([state.record_file(emulator.COMPONENT)], 1.0)


@contextmanager
def firestore_emulator_with_rules(folder: Path, rules: Path) -> Iterator[str]:
    """Yield the host:port of an emulator that this function starts with a file of security rules.

    `folder` is for its log and its process record.

    Raises:
        DevclusterError: the emulator cannot be started; the message says what is missing.
    """
    state = StateDirectory(folder)
    host = emulator.start_emulator(state, rules)
    try:
        asyncio.run(emulator.wait_until_answering(state, host, ours=True))
        yield host
    finally:
        processes.stop_processes([state.record_file(emulator.COMPONENT)], 1.0)
