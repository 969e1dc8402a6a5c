"""Workers: an error affects only its own key, and nothing is written before the gate opens."""

from __future__ import annotations

import asyncio

from sluice_operator.domain.objects import Key
from sluice_operator.ports import Unavailable
from sluice_operator.reconcile import ReconcileResult
from sluice_operator.workers import Workers
from sluice_operator.workqueue import WorkQueue
from support import virtual_time


class Rig:
    """Two workers on a queue, and a reconciler that fails or returns what the test sets."""

    def __init__(self) -> None:
        self.queue: WorkQueue[Key] = WorkQueue(virtual_time.seconds, jitter=lambda: 0.0)
        self.gate = asyncio.Event()
        self.passes: list[tuple[float, str]] = []
        self.outcomes: list[str] = []
        self.errors: dict[str, Exception] = {}
        self.results: dict[str, list[ReconcileResult]] = {}
        self.stop_deadline: float | None = None
        self.workers = Workers(self.queue, self._reconcile, self.gate, self, lambda _: self.stop_deadline)

    def record_reconciliation(self, seconds: float, outcome: str) -> None:
        """Record the outcome of a pass."""
        assert seconds >= 0
        self.outcomes.append(outcome)

    async def run(self, *names: str, until: float) -> None:
        """Add keys, and let the workers run until the time `until`."""
        for name in names:
            self.queue.add(("acme", name))
        asyncio.get_running_loop().call_later(until, self.queue.shut_down, 2)
        await self.workers.run(2)

    async def _reconcile(self, key: Key) -> ReconcileResult:
        self.passes.append((virtual_time.seconds(), key[1]))
        if key[1] in self.errors:
            raise self.errors[key[1]]
        left = self.results.get(key[1], [])
        return left.pop(0) if left else ReconcileResult()


async def test_nothing_is_reconciled_before_the_gate_opens() -> None:
    rig = Rig()
    asyncio.get_running_loop().call_later(7, rig.gate.set)
    await rig.run("a", until=10)
    assert rig.passes == [(7.0, "a")]


async def test_failing_jobs_are_retried_later_and_delay_no_other() -> None:
    rig = Rig()
    rig.gate.set()
    rig.errors = {"bad": Unavailable("503"), "worse": ZeroDivisionError()}
    await rig.run("bad", "worse", "good", until=3.5)
    assert rig.passes[:3] == [(0.0, "bad"), (0.0, "worse"), (0.0, "good")]
    assert sorted(rig.passes[3:]) == [(1.0, "bad"), (1.0, "worse"), (3.0, "bad"), (3.0, "worse")]
    assert set(rig.outcomes) == {"Unavailable", "ZeroDivisionError", "settled"}


async def test_a_written_job_is_requeued_at_once_and_a_deadline_later() -> None:
    rig = Rig()
    rig.gate.set()
    rig.results = {"a": [ReconcileResult(requeue=True), ReconcileResult(requeue_after=90.0)]}
    await rig.run("a", until=100)
    assert rig.passes == [(0.0, "a"), (0.0, "a"), (90.0, "a")]


async def test_a_job_that_always_asks_for_another_pass_slows_down() -> None:
    rig = Rig()
    rig.gate.set()
    rig.results = {"a": [ReconcileResult(requeue=True)] * 100}
    await rig.run("a", until=60)
    assert len(rig.passes) == 5 + 5  # at once, and then after 1, 2, 4, … s


async def test_a_retry_waits_as_long_as_the_api_server_asks() -> None:
    rig = Rig()
    rig.gate.set()
    rig.errors = {"a": Unavailable("429", retry_after=20.0)}
    await rig.run("a", until=45)
    assert [at for at, _ in rig.passes] == [0.0, 20.0, 40.0]


async def test_the_deadline_of_a_stop_does_not_wait_for_a_backoff() -> None:
    rig = Rig()
    rig.gate.set()
    rig.errors = {"a": Unavailable("429", retry_after=40.0)}
    rig.stop_deadline = 14.0
    await rig.run("a", until=20)
    assert [at for at, _ in rig.passes] == [0.0, 14.0]
