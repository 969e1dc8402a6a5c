"""Values of all kinds in every field: the operator and the pod understand all that the API server accepts."""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sluice_contract.schema import custom_resource_definition, open_api_schema
from sluice_contract.status import IngestJobStatus
from sluice_devcluster.kubectl import Kubectl
from sluice_devcluster.quickstart import Quickstart
from sluice_operator.adapters import access
from sluice_operator.domain import objects, workload
from sluice_operator.domain.decision import decide
from sluice_operator.domain.objects import Job
from sluice_operator.domain.observation import Observation
from sluice_operator.domain.workload import PodSettings
from sluice_runtime.domain.declared_job import parse_declared_job
from sluice_runtime.domain.desired import desired_state
from support import schema_values
from support.deadlines import scaled
from support.job_specs import SPECS
from support.schema_values import READY_CONDITION, TIME
from support.schema_values import Path as Place
from support.site import eventually

GROUP = "sweep.sluice.dev"  # a copy of the CRD that no operator watches
NAMESPACE = "sweep"
COLLECTION = f"/apis/{GROUP}/v1alpha1/namespaces/{NAMESPACE}/ingestjobs"
AT_ONCE = 12
NOW = datetime(2026, 11, 23, tzinfo=UTC)

STATUS: dict[str, Any] = {
    "conditions": [READY_CONDITION],
    "restart": {"count": 1, "nextAt": TIME},
    "replacement": {"startedAt": TIME, "cause": "Spec", "stateBefore": "Idle"},
    "policy": {"names": ["a"], "dryRun": True, "writesPerSecond": 1, "writesPerDay": 20_000, "denied": "a"},
    "stream": {
        "observedGeneration": 1,
        "podUID": "pod",
        "state": "Live",
        "heartbeat": {"at": TIME, "status": "running", "dryRun": False, "epoch": 1, "sessionID": "s"},
        "ingestEnabled": True,
        "ingestEnabledSource": "spec.enabled",
        "symbols": {
            **dict.fromkeys(("desired", "confirmed", "pending", "paused", "rejected"), 1),
            "live": "1/1",
            "rejections": [{"symbol": "A", "code": 400, "message": "no"}],
            "unknownPausedSymbols": ["A"],
            "staleSymbols": ["A"],
            "haltedSymbols": ["A"],
            "unheardSymbols": ["A"],
            "neverTickedSymbols": ["A"],
            "pausedSymbols": ["A"],
        },
        "market": {"phase": "open", "changesAt": TIME},
        "sink": {"healthy": True},
        "effectiveIntervalMilliseconds": 1000,
        "freshness": dict.fromkeys(("live", "quiet", "stale", "closed", "halted", "paused"), 1),
        "gaps": [{"from": TIME, "to": TIME, "cause": "stall"}],
        "openGap": {"since": TIME, "cause": "pause"},
        "slot": {"acquired": True, "holder": "a"},
        "pause": {
            "source": "api",
            "by": "a",
            "sources": [{"source": "pause:a", "reason": "a", "by": "a", "until": TIME}],
        },
        "writes": {"day": "2026-11-23", "used": 1, "limit": 20_000, "resetsAt": TIME},
        "history": [{"at": TIME, "state": "Paused", "reason": "api", "message": "a"}],
        "failure": {"type": "auth", "message": "no", "at": TIME},
        "preflight": {"at": TIME, "passed": True, "findings": ["a"]},
    },
}


def manifest(name: str) -> dict[str, Any]:
    spec = {"tenant": "acme", "provider": name, "symbols": ["SPY"]} | SPECS[name]
    return {
        "apiVersion": f"{GROUP}/v1alpha1",
        "kind": "IngestJob",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": spec,
        "status": STATUS,
    }


def has(document: Any, place: Place) -> bool:
    """Return whether the document has the parent of this place."""
    for step in place[:-1]:
        try:
            document = document[step]
        except (LookupError, TypeError):
            return False
    return isinstance(document, dict | list)


def with_value(document: dict[str, Any], place: Place, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    part: Any = changed
    for step in place[:-1]:
        part = part[step]
    part[place[-1]] = value
    return changed


@pytest.fixture(scope="module")
def kubeconfig(site: Quickstart) -> Iterator[Path]:
    crd = custom_resource_definition()
    crd["metadata"]["name"] = f"ingestjobs.{GROUP}"
    crd["spec"]["group"] = GROUP
    crd["spec"]["names"] |= {"shortNames": ["sweep"], "categories": []}
    kubectl: Kubectl = site.kubectl
    kubectl.apply([crd, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}])
    # `kubectl wait` and jsonpath filters fail on a definition that has no conditions yet.
    eventually(lambda: is_established(kubectl))
    yield site.kubeconfig
    kubectl("delete", "crd", f"ingestjobs.{GROUP}")


def is_established(kubectl: Kubectl) -> bool:
    conditions = kubectl.get("crd", f"ingestjobs.{GROUP}").get("status", {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


class Sweep:
    """Sends requests to the API server, and collects the problems of the documents that it accepted."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._slots = asyncio.Semaphore(AT_ONCE)
        self.accepted = self.refused = 0
        self.holes: list[str] = []

    async def send(self, method: str, url: str, kind: str, body: Any) -> tuple[int, bytes]:
        host = self._client.configuration.host
        async with self._slots:
            response = await self._client.call_api(
                method, f"{host}{url}", header_params={"Content-Type": kind}, body=body, _request_timeout=scaled(30)
            )
            return response.status, await response.read()

    async def create(self, document: dict[str, Any]) -> dict[str, Any]:
        url = f"{COLLECTION}/{document['metadata']['name']}"
        for path in (url, f"{url}/status"):
            query = "?fieldManager=sweep&force=true"
            code, answer = await self.send("PATCH", path + query, "application/apply-patch+yaml", document)
            assert code < 300, answer
        created: dict[str, Any] = msgspec.json.decode(answer)
        return created

    async def check(self, document: dict[str, Any], place: Place, value: Any) -> None:
        """Dry-run the change; if it is accepted, check that every reader understands it, and dry-run an apply of it."""
        url = f"{COLLECTION}/{document['metadata']['name']}{'/status' if place[0] == 'status' else ''}?dryRun=All"
        changed = with_value(document, place, value)
        code, answer = await self.send("PUT", url, "application/json", changed)
        what = f"{'.'.join(map(str, place))} = {str(value)[:60]!r} ({type(value).__name__})"
        if code >= 500:
            self.holes.append(f"{what}: HTTP {code}: {answer[:200]!r}")
        if code >= 300:
            self.refused += 1
            return
        self.accepted += 1
        stored = msgspec.json.decode(answer)
        self.holes += [f"{what}: {problem}" for problem in misunderstandings(stored)]
        applied = stored | {"metadata": {name: stored["metadata"][name] for name in ("name", "namespace")}}
        url += "&fieldManager=another&force=true"
        code, answer = await self.send("PATCH", url, "application/apply-patch+yaml", applied)
        if code >= 500:
            self.holes.append(f"{what}: an apply is answered with HTTP {code}: {answer[:200]!r}")

    async def is_too_large(self, document: dict[str, Any], place: Place, value: Any) -> bool:
        """Dry-run the change, and return whether the API server refuses it because of a bound at this place."""
        url = f"{COLLECTION}/{document['metadata']['name']}{'/status' if place[0] == 'status' else ''}?dryRun=All"
        code, answer = await self.send("PUT", url, "application/json", with_value(document, place, value))
        causes = [] if code < 300 else msgspec.json.decode(answer)["details"].get("causes", [])
        named = f"{place[0]}" + "".join(f"[{each}]" if each == 0 else f".{each}" for each in place[1:])
        names = (named, named.removeprefix("status."))  # Kubernetes 1.30 names a field of the status without `status`
        return any(each["field"] in names and "Too " in each["message"] for each in causes)


def misunderstandings(stored: dict[str, Any]) -> Iterator[str]:
    """Yield the errors of the operator, the pod and their decisions about a stored document."""
    job, declared = objects.decode_job(stored), parse_declared_job(stored)
    yield from filter(None, (job.problem, job.stops.problem, declared.problem, declared.stops.problem))
    try:
        msgspec.convert(stored.get("status", {}), IngestJobStatus)
        decide(Observation(now=NOW, job=job, pod=None, cold_hash=_hash(job)))
        if declared.spec is not None:
            desired_state(declared, declared.spec, NOW)
    except (msgspec.ValidationError, ValueError, ArithmeticError) as error:
        yield repr(error)


def _hash(job: Job) -> str:
    return workload.cold_hash(job, PodSettings(image="i", project_id="p")) if job.spec is not None else ""


@pytest.fixture
async def sweep(kubeconfig: Path) -> AsyncIterator[Sweep]:
    async with await access.create_kubeconfig_client(kubeconfig) as client:
        yield Sweep(client)


async def test_the_operator_and_the_pod_understand_all_that_the_api_server_accepts(sweep: Sweep) -> None:
    began = time.monotonic()
    jobs = [await sweep.create(manifest(name) if name in SPECS else {}) for name in SPECS if name != "claim"]
    claim = manifest("claim")
    claim["spec"]["provider"] = "replay"
    jobs.append(await sweep.create(claim))
    schema = open_api_schema()["properties"]
    tried = set()
    checks = []
    for place, field in schema_values.places({"properties": {name: schema[name] for name in ("spec", "status")}}):
        job = next((each for each in jobs if has(each, place)), None)
        assert job is not None, f"no job of the sweep has {place}"
        tried.add(place)
        checks += [sweep.check(job, place, value) for value in schema_values.values(field)]
    await asyncio.gather(*checks)
    print(f"{len(checks)} values in {len(tried)} places: {sweep.accepted} accepted, {sweep.refused} refused, "  # noqa: T201
          f"{time.monotonic() - began:.1f} s")  # fmt: skip
    assert sweep.holes == []
    assert len(checks) > 2600
    assert sweep.accepted > 300


async def test_every_text_list_and_map_is_refused_over_its_bound_and_no_sooner(sweep: Sweep) -> None:
    jobs = [await sweep.create(manifest(name)) for name in SPECS if name != "claim"]
    schema = open_api_schema()["properties"]
    tried = {}
    for place, field in schema_values.places({"properties": {name: schema[name] for name in ("spec", "status")}}):
        pair = schema_values.values_at_and_over_bound(field)
        job = next((each for each in jobs if has(each, place)), None)
        if pair is not None and job is not None:
            tried[place] = await asyncio.gather(*(sweep.is_too_large(job, place, value) for value in pair))
    assert {place: result for place, result in tried.items() if result != [False, True]} == {}
    assert len(tried) > 110
