"""Two jobs of a tenant that would write the same documents, with a fake cluster."""

from __future__ import annotations

from typing import Any

import pytest

from sluice_contract import conditions as c
from sluice_contract.status import Condition
from sluice_operator.domain import objects
from sluice_operator.domain.objects import Job, Key

from .fakes import Document
from .world import KEY, RUNNING, SYNTHETIC, World, condition, declared, found, live, said

LATER: Key = ("acme", "later")
LATER_AT = "2026-03-02T14:30:00Z"
OWN = {"heartbeat": {"document": "later"}}


async def second(world: World, created: str = LATER_AT, **spec: Any) -> None:
    """Declare another job of the tenant, which has its own heartbeat document unless `spec` sets one."""
    world.cluster.declare(LATER, SYNTHETIC | OWN | spec, "job-2", created)
    await world.settle()


def later(world: World) -> Job:
    """Return the second job from the cluster."""
    return objects.decode_job(world.cluster.jobs[LATER])


def stalled(world: World) -> tuple[str, str]:
    """Return status and reason of the second job's condition Stalled."""
    return condition(later(world).status, c.STALLED)


def words(job: Job) -> str:
    """Return the message of condition Stalled."""
    it = found(job.status, c.STALLED)
    assert isinstance(it, Condition)
    return it.message


def pod_of(world: World, key: Key) -> Document | None:
    """Return the job's pod from the cluster."""
    return world.cluster.pods.get((key[0], f"{key[1]}-ingest"))


async def test_the_later_of_two_jobs_stalls_without_a_pod_and_the_earlier_is_unchanged(world: World) -> None:
    await live(world)
    writes = len(world.cluster.writes)
    await second(world)
    assert stalled(world) == ("True", c.DOCUMENT_CONFLICT)
    assert condition(later(world).status, c.READY) == ("False", c.DOCUMENT_CONFLICT)
    assert condition(later(world).status, c.RECONCILING) == ("", "")
    assert (pod_of(world, LATER), world.ready) == (None, ("True", c.STREAMING_REASON))
    assert world.cluster.writes[writes:] == ["status"]
    assert world.recorder.reports[-1].transition.warning


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"heartbeat": {}},
            "heartbeat document market_ingest: give this job its own heartbeat document in spec.heartbeat.document",
        ),
        (
            {},
            "the quotes of S10: let only one of the two jobs list each symbol, or set another "
            "spec.firestore.liveQuotesCollection in this job",
        ),
        (
            {"firestore": {"liveQuotesCollection": "other_quotes"}},
            "the bars of S10: remove bars from spec.channels of one of the two jobs",
        ),
    ],
    ids=["heartbeat", "quotes", "bars"],
)
async def test_the_message_names_the_job_one_document_and_the_remedy(
    world: World, spec: dict[str, Any], message: str
) -> None:
    shared = {"symbols": [f"S{n}" for n in range(10, 22)], "channels": ["quotes", "bars"]}
    await declared(world, SYNTHETIC | shared)
    await second(world, **(shared | spec))
    assert words(later(world)) == (
        f"Job acme/us-equities of the same tenant is older and writes {message}. Until then, no pod runs for this job."
    )


async def test_the_later_job_starts_when_the_earlier_removes_the_symbol(world: World) -> None:
    await live(world)
    await second(world, symbols=["SPY"])
    await declared(world, SYNTHETIC | {"symbols": ["AAPL"]})
    assert stalled(world) == ("", "")
    assert pod_of(world, LATER) is not None


async def test_the_later_job_starts_when_its_own_spec_is_changed(world: World) -> None:
    await live(world)
    await second(world)
    await second(world, symbols=["MSFT"])
    assert (stalled(world), pod_of(world, LATER) is not None) == (("", ""), True)


async def test_the_later_job_starts_when_the_earlier_is_deleted_and_its_pod_is_gone(world: World) -> None:
    await live(world)
    await second(world)
    world.cluster.remove(KEY)
    await world.settle()
    assert stalled(world) == ("True", c.DOCUMENT_CONFLICT)  # the earlier pod may still write
    world.cluster.finish(KEY)
    await world.settle()
    assert (stalled(world), pod_of(world, LATER) is not None) == (("", ""), True)


async def test_a_foreign_pod_with_the_earlier_job_s_name_does_not_block_the_later_job(world: World) -> None:
    world.cluster.pods["acme", "us-equities-ingest"] = {
        "metadata": {"name": "us-equities-ingest", "namespace": "acme", "uid": "theirs"},
        "spec": {},
    }
    world.cluster.change("pods", world.cluster.pods["acme", "us-equities-ingest"], change="ADDED")
    await declared(world)
    await second(world)
    assert stalled(world) == ("True", c.DOCUMENT_CONFLICT)
    world.cluster.remove(KEY)
    await world.settle()
    assert (stalled(world), pod_of(world, LATER) is not None) == (("", ""), True)


async def test_symbols_that_come_to_overlap_end_the_later_pod(world: World) -> None:
    await live(world)
    await second(world, symbols=["MSFT"])
    world.cluster.pod_is(LATER, **RUNNING)
    pod = pod_of(world, LATER)
    assert pod is not None
    world.cluster.pod_says(LATER, said(pod["metadata"]["uid"], 1))
    await world.settle()
    assert condition(later(world).status, c.READY) == ("True", c.STREAMING_REASON)
    await declared(world, SYNTHETIC | {"symbols": ["SPY", "MSFT"]})
    assert stalled(world) == ("True", c.DOCUMENT_CONFLICT)
    assert pod["metadata"]["deletionTimestamp"]
    world.cluster.finish(LATER)
    await world.settle()
    assert (stalled(world)[1], pod_of(world, LATER)) == (c.DOCUMENT_CONFLICT, None)
    assert world.job.status.pod_name
    assert pod_of(world, KEY) is not None


async def test_the_later_job_stalls_even_if_it_ran_first(world: World) -> None:
    await live(world)
    await second(world, created="2026-03-02T13:00:00Z")
    assert stalled(world) == ("", "")
    assert condition(world.job.status, c.STALLED) == ("True", c.DOCUMENT_CONFLICT)
    assert world.pod.metadata.deletion_timestamp is not None


async def test_a_pod_is_not_deleted_for_an_earlier_job_that_exists_only_in_the_cache(world: World) -> None:
    await live(world)
    await second(world, symbols=["MSFT"])
    world.watching = False
    world.cluster.declare(KEY, SYNTHETIC | {"symbols": ["SPY", "MSFT"]})
    overlapping = world.cluster.jobs[KEY]
    world.watching = True
    world.cluster.change("ingestjobs", overlapping)
    world.watching = False
    world.cluster.remove(KEY)
    world.cluster.finish(KEY)
    world.watching = True
    await world.settle()
    assert (stalled(world), "delete" in world.cluster.writes) == (("", ""), False)


async def test_a_paused_later_job_is_stalled_too_since_it_could_not_resume(world: World) -> None:
    await live(world)
    await second(world, enabled=False)
    assert stalled(world) == ("True", c.DOCUMENT_CONFLICT)
    assert condition(later(world).status, c.PAUSED) == ("True", c.NOTHING_CONNECTED)


async def test_a_dry_run_shares_symbols_and_stalls_when_it_is_to_write_them(world: World) -> None:
    await live(world)
    await second(world, dryRun=True)
    assert (stalled(world), pod_of(world, LATER) is not None) == (("", ""), True)
    await second(world)
    assert stalled(world) == ("True", c.DOCUMENT_CONFLICT)


async def test_a_restarted_operator_reaches_the_same_state_and_writes_nothing(world: World) -> None:
    await live(world)
    await second(world)
    writes = len(world.cluster.writes)
    world.start()
    await world.settle()
    assert len(world.cluster.writes) == writes
