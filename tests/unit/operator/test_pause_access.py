"""The check whether ingest pods may watch pauses."""

from __future__ import annotations

import asyncio
import logging

import pytest

from sluice_contract import identity
from sluice_operator.pause_access import PauseAccess
from sluice_operator.ports import RequestRefused


class Reviews:
    """Implements `ports.AccessReviews`."""

    def __init__(self) -> None:
        self.allowed: dict[str, bool | Exception] = {identity.PAUSES: True, identity.CLUSTER_PAUSES: False}
        self.asked: list[tuple[str, str]] = []

    async def ingest_account_may_watch(self, namespace: str, plural: str) -> bool:
        self.asked.append((namespace, plural))
        answer = self.allowed[plural]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_one_account_is_checked_for_each_kind_until_both_are_allowed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    reviews, namespaces = Reviews(), set[str]()
    access = PauseAccess(reviews, lambda: namespaces)
    running = asyncio.create_task(access.run(asyncio.sleep))
    await asyncio.sleep(61)
    assert (reviews.asked, access.values_by_kind()) == ([], {})
    namespaces |= {"beta", "acme"}
    await asyncio.sleep(121)
    assert set(reviews.asked) == {("acme", identity.PAUSES), ("acme", identity.CLUSTER_PAUSES)}
    assert access.values_by_kind() == {identity.PAUSES: 1.0, identity.CLUSTER_PAUSES: 0.0}
    problem = access.problem_of_pause(("", "fleet"))
    assert "sluice-clusterpauses-read" in problem
    assert "acme" not in problem, "each tenant can read the status of a ClusterIngestPause"
    assert access.problem_of_pause(("acme", "p")) == ""
    reviews.allowed[identity.CLUSTER_PAUSES] = True
    await running
    assert access.problem_of_pause(("", "fleet")) == ""
    assert [each.levelname for each in caplog.records if each.name.endswith("pause_access")] == ["ERROR", "INFO"]


async def test_without_an_answer_nothing_is_known(caplog: pytest.LogCaptureFixture) -> None:
    reviews = Reviews()
    reviews.allowed[identity.PAUSES] = RequestRefused("forbidden")
    access = PauseAccess(reviews, lambda: {"acme"})
    assert not await access.check()
    assert access.values_by_kind() == {}
    assert "not known whether" in caplog.text
