"""`sluice-operator check` agrees with the API server about 200 jobs that an earlier version of the CRD accepted."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sluice_contract.schema import custom_resource_definition, open_api_schema
from sluice_devcluster.kubectl import Kubectl
from sluice_operator.adapters import access
from sluice_operator.check_command import run_check
from support import schema_values
from support.cluster import cluster_without_operator
from support.deadlines import scaled
from support.definitions import earlier_definition, install
from support.schema_values import READY_CONDITION, TIME
from support.schema_values import Path as Place
from support.timed_kubectl import TimedKubectl

JOBS = "/apis/sluice.dev/v1alpha1/namespaces/default/ingestjobs"
AT_ONCE = 8
COMMON: dict[str, Any] = {
    "tenant": "acme",
    "symbols": ["SPY"],
    "pause": {"reason": "a", "until": TIME},
    "pausedSymbols": [{"symbol": "SPY", "reason": "a", "until": TIME}],
}
BASES: dict[str, dict[str, Any]] = {
    "synthetic": {
        "provider": "synthetic",
        "pod": {"labels": {"a": "b"}, "env": [{"name": "LOG_LEVEL", "value": "info"}]},
    },
    "alpaca": {
        "provider": "alpaca",
        "alpaca": {
            "credentialsSecretRef": {"name": "alpaca"},
            "streamURL": "wss://a",
            "dataURL": "https://a",
            "tradingURL": "https://a",
        },
    },
    "ibkr": {"provider": "ibkr", "ibkr": {"host": "gateway"}},
}
# Values that only the earlier definition accepts, or that only a test with characters beyond ASCII finds.
MORE_VALUES: tuple[Any, ...] = (
    *(f"2026-11-23T14:00:00.{'1' * digits}Z" for digits in range(8, 14)),
    *(f"2026-11-23T14:00:00+{hours}:00" for hours in range(22, 27)),
    "wss://\N{SNOWMAN}", "https://\N{SNOWMAN}", "https://a@b",
)  # fmt: skip
STATUS: dict[str, Any] = {
    "phase": "Running",
    "podName": "feed-ingest",
    "epoch": 1,
    "restart": {"count": 1, "nextAt": TIME},
    "conditions": [READY_CONDITION],
}
STATUS_VALUES: tuple[Any, ...] = ("x" * 253, "x" * 254, -1, 2**53 - 1, 2**53, TIME, *MORE_VALUES[:6])


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cluster with the CRD but without an operator, which would change the status of the jobs."""
    with cluster_without_operator(tmp_path_factory.mktemp("check")) as state:
        yield state.kubeconfig_file


class Client:
    """Sends requests to the API server."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def send(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        url = f"{self._client.configuration.host}{path}"
        async with self._slots:
            response = await self._client.call_api(
                method, url, header_params={"Content-Type": "application/json"}, body=body, _request_timeout=scaled(30)
            )
            return response.status, msgspec.json.decode(await response.read())

    async def store(self, name: str, spec: dict[str, Any], status: dict[str, Any] | None = None) -> bool:
        """Create a job. Return whether the API server accepts it; a job whose status is refused is deleted again."""
        code, created = await self.send("POST", JOBS, _job(name, spec))
        if code >= 300 or status is None:
            return code < 300
        code, _ = await self.send("PUT", f"{JOBS}/{name}/status", created | {"status": status})
        if code >= 300:
            await self.send("DELETE", f"{JOBS}/{name}", {})
        return code < 300

    async def is_refused_if_new(self, stored: dict[str, Any]) -> bool:
        """Return whether the API server refuses the spec in a new job, or the status in a job that has none."""
        code, _ = await self.send("POST", f"{JOBS}?dryRun=All", _job("new", stored["spec"]))
        if code >= 300:
            return True
        _, blank = await self.send("GET", f"{JOBS}/blank", None)
        code, _ = await self.send(
            "PUT", f"{JOBS}/blank/status?dryRun=All", blank | {"status": stored.get("status", {})}
        )
        return code >= 300


def _job(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "sluice.dev/v1alpha1", "kind": "IngestJob", "metadata": {"name": name}, "spec": spec}


def variants(base: dict[str, Any], schema: dict[str, Any], values: tuple[Any, ...]) -> Iterator[dict[str, Any]]:
    """Yield the document with one value changed, for each place of it and each value of the place's type."""
    for place, field in schema_values.places(schema):
        kind = {"string": str, "integer": int}.get(field["type"])
        for value in (*schema_values.values(field), *values):
            if kind is not None and isinstance(value, kind) and not isinstance(value, bool):
                changed = copy.deepcopy(base)
                if _set_if_present(changed, place, value):
                    yield changed


def _set_if_present(document: Any, place: Place, value: Any) -> bool:
    try:
        for step in place[:-1]:
            document = document[step]
        document[place[-1]]
    except (LookupError, TypeError):
        return False
    document[place[-1]] = value
    return True


@pytest.fixture
async def client(kubeconfig: Path) -> AsyncIterator[Client]:
    async with await access.create_kubeconfig_client(kubeconfig) as made:
        yield Client(made)


async def test_check_agrees_with_the_api_server_about_each_job_that_an_earlier_version_stored(
    kubeconfig: Path, client: Client
) -> None:
    kubectl: Kubectl = TimedKubectl(Path("kubectl"), kubeconfig)
    install(kubectl, earlier_definition())
    schema = open_api_schema()["properties"]
    specs = [each for base in BASES.values() for each in variants(COMMON | base, schema["spec"], MORE_VALUES)]
    statuses = list(variants(STATUS, schema["status"], STATUS_VALUES))
    plain = COMMON | BASES["synthetic"]
    assert await client.store("blank", plain)
    stored = await asyncio.gather(
        *(client.store(f"spec-{number}", spec) for number, spec in enumerate(specs)),
        *(client.store(f"status-{number}", plain, status) for number, status in enumerate(statuses)),
    )
    install(kubectl, custom_resource_definition())
    documents = kubectl.get("ij", "-n", "default")["items"]
    assert len(documents) == sum(stored) + 1
    assert len(documents) >= 200
    refused = await asyncio.gather(*(client.is_refused_if_new(each) for each in documents))
    lines: list[str] = []
    assert await run_check({"KUBECONFIG": str(kubeconfig)}, lines.append) == 1
    # The API server knows no setting of the operator, such as the hosts that it allows.
    named = {line.partition(": ")[0] for line in lines[:-1] if ": gets no new pod; " not in line}
    verdicts = {
        f"default/{each['metadata']['name']}" for each, is_refused in zip(documents, refused, strict=True) if is_refused
    }
    assert named == verdicts
    assert len(verdicts) > 40
    print(f"{len(documents)} jobs, of which {len(verdicts)} would be refused")  # noqa: T201
