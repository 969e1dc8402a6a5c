"""Schedules: the order in which requests are committed, and in which responses and watch events arrive.

The operator's reconciler and a live read run against a fake API server. Each request waits to be committed, and each
response and each watch event waits to be delivered. What happens next is a choice, and a plan is the list of these
choices. A plan replays exactly.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from sluice_contract.status import IngestJobStatus
from sluice_operator import handlers
from sluice_operator.domain import objects
from sluice_operator.domain.objects import Job, Key, Pod
from sluice_operator.live_objects import LiveObjects
from sluice_operator.ports import ClusterError, Unavailable
from unit.operator.fakes import Document, FakeCluster
from unit.operator.world import KEY, World

from .forwarding_cluster import ForwardingCluster

T = TypeVar("T")
POD: Key = (KEY[0], KEY[1] + "-ingest")
_TURNS = 12  # of the event loop, after which every task waits for a choice
_MOST_CHOICES = 400
_MOST_SECONDS = 30.0  # before everything that is left happens
_MOST_LOST = 1  # responses in a schedule


class Waiting:
    """Something that happens when it is chosen."""

    def __init__(self, name: str, happen: Callable[[], None]) -> None:
        self.name = name
        self.happen = happen


class ScheduledCluster(ForwardingCluster):
    """Implements `ports.Cluster`. Requests are committed, and their responses delivered, when they are chosen."""

    def __init__(self, cluster: FakeCluster, waiting: list[Waiting]) -> None:
        super().__init__(cluster)
        self.lost = 0
        self.keeps_precondition = True
        self._waiting = waiting

    async def read_tenant_label(self, namespace: str) -> str | None:
        return await self._cluster.read_tenant_label(namespace)

    async def apply_account_and_role_binding(self, namespace: str) -> None:
        return await self._cluster.apply_account_and_role_binding(namespace)

    async def read_job(self, key: Key) -> Job:
        return await self._request("GET job", lambda: self._cluster.read_job(key))

    async def read_pod(self, key: Key) -> Pod:
        return await self._request("GET pod", lambda: self._cluster.read_pod(key))

    async def write_operator_status(self, job: Job, status: IngestJobStatus) -> Job:
        async def write() -> Job:
            if self.keeps_precondition:
                return await self._cluster.write_operator_status(job, status)
            stored = await self._cluster.read_job(job.key)  # as an apply without a resourceVersion does
            return await self._cluster.write_operator_status(stored, status)

        return await self._request("PATCH status", write, can_be_lost=True)

    async def create_pod(self, manifest: Document) -> Document:
        return await self._request("POST pod", lambda: self._cluster.create_pod(manifest), can_be_lost=True)

    async def delete_pod(self, key: Key, uid: str, resource_version: str) -> None:
        return await self._request("DELETE pod", lambda: self._cluster.delete_pod(key, uid, resource_version))

    async def _request(self, name: str, commit: Callable[[], Awaitable[T]], can_be_lost: bool = False) -> T:
        """Wait for the commit and then for the response. A lost request is committed later, if at all."""
        options = [f"commit {name}"]
        if can_be_lost and self.lost < _MOST_LOST:
            options.append(f"no response to {name}")
        if await self._choice(options) != options[0]:
            self.lost += 1
            self._add_late_commit(f"late commit {name}", commit)
            raise Unavailable("no response")
        try:
            result = await commit()
        except ClusterError as failure:
            await self._choice([f"response to {name}"])
            raise failure
        await self._choice([f"response to {name}"])
        return result

    async def _choice(self, names: list[str]) -> str:
        """Wait until one of these events is chosen. Return its name; the others do not happen."""
        chosen: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        made: list[Waiting] = []

        def happen(name: str) -> None:
            self._waiting[:] = [each for each in self._waiting if each not in made]
            if not chosen.done():
                chosen.set_result(name)

        made += [Waiting(name, partial(happen, name)) for name in names]
        self._waiting += made
        return await chosen

    def _add_late_commit(self, name: str, commit: Callable[[], Awaitable[Any]]) -> None:
        def happen() -> None:
            self._waiting.remove(made)
            _run_at_once(commit())

        made = Waiting(name, happen)
        self._waiting.append(made)


def _run_at_once(commit: Awaitable[Any]) -> None:
    """Run a commit of the fake cluster, which never waits. Its response is not delivered."""

    async def run() -> None:
        await commit

    coroutine: Coroutine[Any, Any, None] = run()
    try:
        coroutine.send(None)
    except StopIteration:
        return
    except Exception:
        return
    raise AssertionError("a commit of the fake cluster waits")


class Schedule(World):
    """One run of the operator, in which each next event is chosen by a plan and then by a random generator."""

    def __init__(self, plan: list[int], seed: int = 0) -> None:
        self.waiting: list[Waiting] = []
        self.events: dict[str, list[tuple[str, Document]]] = {"ingestjobs": [], "pods": []}
        self.trace: list[str] = []
        self.taken: list[int] = []
        self.violations: list[str] = []
        self.finished_epoch: int | None = None  # of the pod that has finished a replay
        self.steps: list[tuple[str, Callable[[Schedule], None]]] = []
        self._plan = plan
        self._random = random.Random(seed)
        self._epochs: dict[str, int] = {}
        self._passing: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        super().__init__()

    def cluster_of_operator(self) -> ScheduledCluster:
        """Return the cluster as the operator reaches it."""
        self.scheduled = ScheduledCluster(self.cluster, self.waiting)
        return self.scheduled

    def read_live(self) -> None:
        """Read the pod live, as the reads of missing events do, while the job may be reconciled."""

        async def read() -> None:
            await LiveObjects(self.scheduled, self.store).refresh_pod(KEY)

        self._tasks.add(asyncio.create_task(read()))

    async def run(self) -> None:
        """Let everything happen in the chosen order, then everything that is left, and two more minutes."""
        for _ in range(_MOST_CHOICES):
            await self._turn()
            choices = self._choices()
            if not choices:
                break
            self._choose(choices)
        else:
            self.violations.append("the operator never settles")
        for _ in range(12):
            self.seconds += 10
            self.dirty |= {key for key, at in self.due.items() if at <= self.seconds}
            self.due = {key: at for key, at in self.due.items() if at > self.seconds}
            await self._drain()
        for task in (*self._tasks, *((self._passing,) if self._passing else ())):
            task.cancel()

    async def _drain(self) -> None:
        """Let everything happen in the order in which it began."""
        for _ in range(_MOST_CHOICES):
            await self._turn()
            choices = [each for each in self._choices() if not each.name.startswith("no response")]
            if not choices:
                return
            choices[0].happen()
        self.violations.append("the operator never settles")

    async def _turn(self) -> None:
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        self._tasks = {task for task in self._tasks if not task.done()}
        if self._passing is not None and self._passing.done():
            self._passing = None
        self._check_epochs()

    def _choices(self) -> list[Waiting]:
        """Return what can happen next. Watch events of one kind arrive in order."""
        found = list(self.waiting)
        for plural, events in self.events.items():
            if events:
                found.append(Waiting(f"event of {plural}: {events[0][0]}", partial(self._deliver, plural)))
        if self.dirty and self._passing is None:
            found.append(Waiting("reconcile", self._reconcile))
        if self.due and not self.dirty and self.seconds < _MOST_SECONDS:
            found.append(Waiting("time passes", self._pass_time))
        if self.steps:
            found.append(Waiting(self.steps[0][0], lambda: self.steps.pop(0)[1](self)))
        return found

    def _choose(self, choices: list[Waiting]) -> None:
        position = len(self.taken)
        number = self._plan[position] % len(choices) if position < len(self._plan) else self._draw(choices)
        self.taken.append(number)
        self.trace.append(choices[number].name)
        choices[number].happen()

    def _draw(self, choices: list[Waiting]) -> int:
        """Draw a choice. A commit whose response was lost is often much later than all else."""
        number = self._random.randrange(len(choices))
        for _ in range(4):
            if not choices[number].name.startswith("late commit"):
                break
            number = self._random.randrange(len(choices))
        return number

    def _deliver(self, plural: str) -> None:
        change, document = self.events[plural].pop(0)
        take = handlers.on_job_event if plural == "ingestjobs" else handlers.on_pod_event
        take(self.store, change, document)

    def _reconcile(self) -> None:
        async def reconcile(key: Key) -> None:
            try:
                result = await self.reconciler.reconcile(key)
            except ClusterError:
                self.due[key] = self.seconds + 1
                return
            if result.requeue:
                self.dirty.add(key)
            if result.requeue_after is not None:
                self.due[key] = min(self.due.get(key, 1e9), self.seconds + result.requeue_after)

        self._passing = asyncio.create_task(reconcile(self.dirty.pop()))

    def _pass_time(self) -> None:
        key = min(self.due, key=lambda each: self.due[each])
        self.seconds = max(self.seconds, self.due.pop(key))
        self.dirty.add(key)

    def _check_epochs(self) -> None:
        document = self.cluster.jobs.get(KEY)
        if document is None:
            return
        job = objects.decode_job(document)
        epoch = job.status.epoch or 0
        if epoch < self._epochs.get(job.metadata.uid, 0):
            self.violations.append("status.epoch went back")
        self._epochs[job.metadata.uid] = epoch

    def _watch(self, plural: str, change: str, document: Document) -> None:
        if self.watching:
            self.events[plural].append((change, document))


def replay_text(scenario: str, schedule: Schedule) -> str:
    """Return what a failing test prints: the violations, and the plan that replays them."""
    steps = "\n".join(f"  {number:>2} {name}" for number, name in zip(schedule.taken, schedule.trace, strict=True))
    return f"{scenario}: {sorted(set(schedule.violations))}\nplan = {schedule.taken}\n{steps}"
