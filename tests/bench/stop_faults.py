"""The faults under which the bench `stops` requests its stops. Each is repaired afterwards, also if a cell fails."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.stop_jobs import BenchCluster, StopJob
from bench.stop_requests import Confirmation, PlannedStop, StopWay
from bench.stop_schema import UNKNOWN_CHANNEL, UNKNOWN_FAILURE, UNKNOWN_PHASE, loosened_definition
from sluice_contract import identity
from sluice_devcluster import processes
from sluice_devcluster.quickstart import OPERATOR, SYSTEM_NAMESPACE
from support.eventually import eventually
from support.packet_loss import half_open
from support.processes import pod_process
from support.unreachable_port import unreachable_port

LIMIT_SECONDS = 15.0
NEXT_POD_SECONDS = 5.0  # the pause of a symbol is confirmed by the pod that follows a deleted one
GRACE_SECONDS = 20.0  # terminationGracePeriodSeconds of an ingest pod
UNREACHABLE_SECONDS = 5.0
FINALIZER = "example.com/held-by-the-bench"
# The bench's own requests to the API server have this source address; the rules for an unreachable one spare it.
BENCH_ADDRESS = "127.0.0.9"
_SETTLE_SECONDS = 1.0

Injection = Callable[[BenchCluster, Sequence[PlannedStop]], AbstractAsyncContextManager[None]]
Preparation = Callable[[BenchCluster], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def _nothing(_: BenchCluster) -> AsyncIterator[None]:
    yield


@asynccontextmanager
async def _no_fault(_: BenchCluster, __: Sequence[PlannedStop]) -> AsyncIterator[None]:
    yield


@dataclass(frozen=True)
class StopFault:
    """One fault.

    `prepared` is active while the jobs exist, `injected` while they are stopped. `finalizers` are those of the jobs.
    `spec_is_understood` says whether the conditions can name the new generation. `operator_runs` says whether anything
    writes conditions.
    """

    name: str
    injected: Injection = _no_fault
    prepared: Preparation = _nothing
    limit_seconds: float = LIMIT_SECONDS
    confirmation_extra_seconds: float = 0.0
    finalizers: tuple[str, ...] = ()
    spec_is_understood: bool = True
    operator_runs: bool = True
    excluded: frozenset[Confirmation] = frozenset()

    def applies_to(self, way: StopWay) -> bool:
        """Return whether the stop can be requested in this way at all."""
        return way.confirmation not in self.excluded


@asynccontextmanager
async def _half_open_watch(cluster: BenchCluster, stops: Sequence[PlannedStop]) -> AsyncIterator[None]:
    """All connections of the pods to the API server permanently lose their packets; new ones work."""
    with _all_packets_lost(stops, cluster.api_port):
        yield


@asynccontextmanager
async def _half_open_firestore(cluster: BenchCluster, stops: Sequence[PlannedStop]) -> AsyncIterator[None]:
    """All connections of the pods to Firestore permanently lose their packets; new ones work."""
    with _all_packets_lost(stops, cluster.emulator_port):
        yield


@asynccontextmanager
async def _undecodable_spec(_: BenchCluster, stops: Sequence[PlannedStop]) -> AsyncIterator[None]:
    """The stored specs have a channel that neither image knows."""
    for each in stops:
        await each.job.patch({"spec": {"channels": ["quotes", UNKNOWN_CHANNEL]}})
    await asyncio.sleep(_SETTLE_SECONDS)
    yield


@asynccontextmanager
async def _unknown_status(_: BenchCluster, stops: Sequence[PlannedStop]) -> AsyncIterator[None]:
    """The stored statuses have values that neither image knows. The failure's type stays: no other writer sets it."""
    failure = {"type": UNKNOWN_FAILURE, "message": "of a newer version", "at": datetime.now(UTC).isoformat()}
    for each in stops:
        await each.job.patch({"status": {"phase": UNKNOWN_PHASE, "stream": {"failure": failure}}}, "/status")
    await asyncio.sleep(_SETTLE_SECONDS)
    yield


@asynccontextmanager
async def _no_operator(cluster: BenchCluster, _: Sequence[PlannedStop]) -> AsyncIterator[None]:
    """The operator's deployment has no replicas, and its pods are gone."""
    kubectl = cluster.kubectl
    deployment = await asyncio.to_thread(kubectl.get, OPERATOR, "-n", SYSTEM_NAMESPACE)
    replicas = deployment["spec"]["replicas"]
    try:
        await asyncio.to_thread(kubectl, "scale", OPERATOR, "-n", SYSTEM_NAMESPACE, "--replicas=0")

        async def has_no_pods() -> bool:
            return not (await cluster.api.get(f"/api/v1/namespaces/{SYSTEM_NAMESPACE}/pods"))["items"]

        await eventually(has_no_pods, 60)
        yield
    finally:
        await asyncio.to_thread(kubectl, "scale", OPERATOR, "-n", SYSTEM_NAMESPACE, f"--replicas={replicas}")
        rollout = ("rollout", "status", OPERATOR, "-n", SYSTEM_NAMESPACE, "--timeout=60s")
        await asyncio.to_thread(kubectl, *rollout)


@asynccontextmanager
async def _no_api_server(cluster: BenchCluster, _: Sequence[PlannedStop]) -> AsyncIterator[None]:
    """For 5 s from just before the request, only the bench itself can reach the API server."""
    with ExitStack() as stack:
        stack.enter_context(unreachable_port(cluster.api_port, BENCH_ADDRESS))
        reachable_again = asyncio.get_running_loop().call_later(UNREACHABLE_SECONDS, stack.close)
        try:
            yield
        finally:
            reachable_again.cancel()


@asynccontextmanager
async def _held_by_a_finalizer(_: BenchCluster, stops: Sequence[PlannedStop]) -> AsyncIterator[None]:
    """Another controller's finalizer holds the jobs. If the stop is not the deletion, they were deleted 1 s ago."""
    for each in stops:
        if each.way.confirmation is not Confirmation.END_OF_POD:
            await each.job.cluster.api.delete(each.job.path, {})
    await asyncio.sleep(_SETTLE_SECONDS)
    yield


@asynccontextmanager
async def _frozen_pod(_: BenchCluster, stops: Sequence[PlannedStop]) -> AsyncIterator[None]:
    """The processes of the pods are stopped (SIGSTOP)."""
    records = [processes.record_of_process(_pid(each.job)) for each in stops]
    frozen = [each for each in records if each is not None]
    try:
        for record in frozen:
            processes.send_signal(record, signal.SIGSTOP)
        yield
    finally:
        for record in frozen:
            processes.send_signal(record, signal.SIGCONT)


@contextmanager
def _all_packets_lost(stops: Sequence[PlannedStop], remote_port: int) -> Iterator[None]:
    with ExitStack() as stack:
        for each in stops:
            stack.enter_context(half_open(_pid(each.job), remote_port))
        yield


def _pid(job: StopJob) -> int:
    return pod_process("sluice-runtime", f"{identity.POD_UID_ENV}={job.pod['metadata']['uid']}")


FAULTS = {
    "none": StopFault("none"),
    "half-open-watch": StopFault("half-open watch", _half_open_watch),
    "half-open-firestore": StopFault("half-open Firestore", _half_open_firestore),
    "undecodable-spec": StopFault(
        "undecodable spec", _undecodable_spec, prepared=loosened_definition, spec_is_understood=False
    ),
    "unknown-status": StopFault("unknown status", _unknown_status, prepared=loosened_definition),
    "no-operator": StopFault("no operator", _no_operator, operator_runs=False),
    "no-api-server": StopFault("no API server for 5 s", _no_api_server),
    "held": StopFault(
        "held by a finalizer",
        _held_by_a_finalizer,
        finalizers=(FINALIZER,),
        # Nothing streams then, so no pod and no symbol can be stopped.
        excluded=frozenset({Confirmation.PAUSED_SYMBOL, Confirmation.RESPONSE}),
    ),
    "frozen-pod": StopFault(
        "frozen pod",
        _frozen_pod,
        limit_seconds=LIMIT_SECONDS + GRACE_SECONDS,
        confirmation_extra_seconds=NEXT_POD_SECONDS,
        # The pod cannot answer, and no other process knows of the request.
        excluded=frozenset({Confirmation.RESPONSE}),
    ),
}
