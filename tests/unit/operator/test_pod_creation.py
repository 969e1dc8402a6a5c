"""The requests for the accounts of a burst of jobs."""

from __future__ import annotations

import asyncio

import pytest

from sluice_contract import conditions as c
from sluice_operator.domain.objects import Key
from sluice_operator.ports import Cluster, RequestRefused, Unavailable

from .fakes import Document, FakeCluster
from .world import SYNTHETIC, World, condition

KEYS: list[Key] = [(namespace, f"feed-{number}") for namespace in ("acme", "zenith") for number in range(8)]


def _spec_with_own_documents(key: Key) -> Document:
    own = {"firestore": {"liveQuotesCollection": key[1]}, "heartbeat": {"document": key[1]}}
    return SYNTHETIC | {"tenant": key[0]} | own


class SlowAccounts(FakeCluster):
    """A cluster that takes some turns of the event loop to apply an account, and counts the requests."""

    def __init__(self) -> None:
        super().__init__()
        self.applied: list[str] = []
        self.started = asyncio.Event()
        self.error: Exception | None = None

    async def apply_account_and_role_binding(self, namespace: str) -> None:
        self.applied.append(namespace)
        self.started.set()
        for _ in range(5):
            await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        await super().apply_account_and_role_binding(namespace)


class Burst(World):
    """Sixteen jobs in two namespaces, which are reconciled at the same time."""

    def __init__(self) -> None:
        self.accounts = SlowAccounts()
        super().__init__()
        self.cluster = self.accounts
        self.cluster.watcher = self._watch
        for key in KEYS:
            self.cluster.declare(key, _spec_with_own_documents(key))

    def cluster_of_operator(self) -> Cluster:
        return self.accounts

    async def reconcile_all(self) -> list[object]:
        """Reconcile all jobs at the same time, and return their results and errors."""
        return list(await asyncio.gather(*map(self.reconciler.reconcile, KEYS), return_exceptions=True))


async def test_jobs_of_a_namespace_share_one_apply_of_their_account() -> None:
    burst = Burst()
    await burst.reconcile_all()
    assert sorted(burst.accounts.applied) == ["acme", "zenith"]
    assert burst.accounts.accounts == {"acme", "zenith"}


@pytest.mark.parametrize("error", [Unavailable("no answer"), RequestRefused("exceeded quota")])
async def test_each_job_gets_the_error_of_the_shared_apply(error: Exception) -> None:
    burst = Burst()
    burst.accounts.error = error
    results = await burst.reconcile_all()
    assert sorted(burst.accounts.applied) == ["acme", "zenith"]
    if isinstance(error, Unavailable):
        assert all(isinstance(each, Unavailable) for each in results)
    else:
        statuses = [burst.store.jobs.get(key) for key in KEYS]
        assert all(job is not None and condition(job.status, c.STALLED)[1] == c.POD_REJECTED for job in statuses)


async def test_a_cancelled_reconciliation_does_not_end_the_apply_of_the_others() -> None:
    burst = Burst()
    tasks = [asyncio.create_task(burst.reconciler.reconcile(key)) for key in KEYS[:3]]
    await burst.accounts.started.wait()
    tasks[0].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert not any(isinstance(each, BaseException) for each in results[1:])
    assert burst.accounts.applied == ["acme"]
