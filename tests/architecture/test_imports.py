"""The packages that a pod imports, which determine its memory and the time of its start."""

import json
import subprocess
import sys
import textwrap
from typing import Any

import pytest

FORBIDDEN = (
    "pandas", "numpy", "pydantic", "kubernetes", "kopf", "alpaca", "websockets", "ib_async", "eventkit",
    "jsonschema", "yaml", "cryptography", "requests.sessions", "google.cloud.firestore_v1.client",
    "google.cloud.firestore_v1.services.firestore.transports.rest",
)  # fmt: skip
PROGRAM = """
    import asyncio, os, sys
    import sluice_runtime.__main__
    from sluice_runtime import app, factories
    from sluice_runtime.loops.write_log import WriteLog
    from sluice_runtime.sinks.firestore.factory import create_firestore_sink
    from sluice_runtime.settings import pod_settings
    os.environ["FIRESTORE_EMULATOR_HOST"] = "127.0.0.1:9"
    found = pod_settings({"SLUICE_JOB": sys.argv[1], "POD_UID": "d", "KUBERNETES_SERVICE_HOST": "127.0.0.1"})

    async def start():
        factories.create_clients(found, {}), app._job_client(found)
        await create_firestore_sink(found, factories.create_runtime_state(found).desired, WriteLog()).open()

    asyncio.run(start())
    for name in sys.argv[2:]:
        __import__(name)
    print(*sorted({*sys.modules, *(name.partition(".")[0] for name in sys.modules)}))
"""


PROVIDERS: dict[str, dict[str, Any]] = {
    "synthetic": {},
    "alpaca": {"alpaca": {"credentialsSecretRef": {"name": "alpaca"}}},  # with engine native
    "ibkr": {"ibkr": {"host": "gateway"}},  # until it connects
}


def loaded(provider: str, *modules: str) -> set[str]:
    """Return the modules that a pod of this provider imports before it connects, and those with these modules."""
    spec = {"tenant": "a", "provider": provider, "symbols": ["A"], **PROVIDERS[provider]}
    injected = {"namespace": "a", "name": "b", "uid": "c", "generation": 1, "epoch": 1, "projectID": "demo-project"}
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), json.dumps({**injected, "spec": spec}), *modules]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_pod_imports_only_the_packages_that_it_needs(provider: str) -> None:
    assert loaded(provider) & set(FORBIDDEN) == set()


def test_the_module_of_tokens_loads_the_package_requests_only_when_it_needs_it() -> None:
    with_tokens = loaded("synthetic", "sluice_runtime.sinks.firestore.google_tokens")
    assert with_tokens & set(FORBIDDEN) == set()


def test_ibkr_imports_only_ib_async_and_numpy_to_connect() -> None:
    connected = loaded("ibkr", "sluice_runtime.providers.ibkr.connection")
    assert connected & set(FORBIDDEN) == {"ib_async", "eventkit", "numpy"}
