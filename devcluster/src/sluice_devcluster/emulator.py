"""The Firestore emulator: one that runs already, or the component of the Google Cloud CLI."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from pathlib import Path

import aiohttp

from sluice_devcluster import processes
from sluice_devcluster.controlplane import find_free_port, require_alive
from sluice_devcluster.errors import DevclusterError
from sluice_devcluster.layout import StateDirectory

COMPONENT = "firestore-emulator"
START_SECONDS = 60.0
HEAP = "-Xmx256m"
MAIN_CLASS = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
HOW_TO_INSTALL = (
    "Install it with `gcloud components install cloud-firestore-emulator`, or on Debian with "
    "`apt-get install google-cloud-cli-firestore-emulator`; it also needs Java 11 or newer on the PATH. "
    "To use one that already runs, set FIRESTORE_EMULATOR_HOST to its host:port. "
    "With Docker and kind, `make up CLUSTER=kind` needs none of these."
)


def external_emulator_host() -> str | None:
    """Return FIRESTORE_EMULATOR_HOST, the host:port of an emulator that runs already, without http://; None if not set.

    The runtime also accepts the variable with http://.
    """
    return os.environ.get("FIRESTORE_EMULATOR_HOST", "").strip().removeprefix("http://").rstrip("/") or None


def find_emulator_jar() -> Path:
    """Return the emulator's jar beside the `gcloud` on the PATH; raise DevclusterError if it is not installed."""
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        raise DevclusterError(f"The Firestore emulator needs the Google Cloud CLI. {HOW_TO_INSTALL}")
    platform = Path(gcloud).resolve().parent.parent / "platform" / "cloud-firestore-emulator"
    jar = platform / "cloud-firestore-emulator.jar"
    if not jar.exists():
        raise DevclusterError(f"The Google Cloud CLI has no Firestore emulator. {HOW_TO_INSTALL}")
    return jar


def require_installed() -> None:
    """Raise DevclusterError if devcluster has to start an emulator, but the emulator or Java is missing."""
    if external_emulator_host() is None:
        find_emulator_jar()
        find_java()


def find_java() -> str:
    """Return the path of the `java` on the PATH; raise DevclusterError if there is none."""
    java = shutil.which("java")
    if java is None:
        raise DevclusterError(f"The Firestore emulator needs Java. {HOW_TO_INSTALL}")
    return java


def start_emulator(state: StateDirectory, rules: Path | None = None) -> str:
    """Start the emulator on a free port of 127.0.0.1 and return its host:port without waiting for it.

    `rules` is a file of security rules for clients; without it, clients may read and write everything. Servers send
    `Authorization: Bearer owner`, which bypasses the rules. Raises DevclusterError if the emulator, Java or the file is
    missing.
    """
    if rules is not None and not rules.is_file():
        raise DevclusterError(f"There is no file {rules}: --rules needs a file of Firestore security rules.")
    jar = find_emulator_jar()
    port = find_free_port()
    # One compiler tier and the serial garbage collector save CPU and memory on a laptop.
    argv = [find_java(), HEAP, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Duser.language=en"]
    argv += ["-cp", str(jar), MAIN_CLASS, "--host", "127.0.0.1", "--port", str(port)]
    argv += [] if rules is None else ["--rules", str(rules.resolve())]
    processes.start_process(argv, state.log_file(COMPONENT), state.record_file(COMPONENT))
    return f"127.0.0.1:{port}"


async def is_answering(host: str) -> bool:
    """Return True if a server at host:port answers HTTP with status 200, as the emulator does."""
    timeout = aiohttp.ClientTimeout(total=2)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(f"http://{host}/") as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


async def wait_until_answering(state: StateDirectory, host: str, *, ours: bool) -> None:
    """Wait until the emulator answers: at most 60 seconds, or 5 if devcluster did not start it.

    Raises DevclusterError if it does not; for an emulator that devcluster started, with the end of the log.
    """
    deadline = time.monotonic() + (START_SECONDS if ours else 5.0)
    while not await is_answering(host):
        if ours:
            require_alive(state, COMPONENT)
        if time.monotonic() > deadline:
            if not ours:
                raise DevclusterError(
                    f"No Firestore emulator answers at FIRESTORE_EMULATOR_HOST={host}: start it, or unset the variable."
                )
            raise DevclusterError(
                f"The Firestore emulator did not answer:\n{processes.log_tail(state.log_file(COMPONENT))}"
            )
        await asyncio.sleep(0.1)
