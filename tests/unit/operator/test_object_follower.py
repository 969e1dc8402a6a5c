"""A kind of objects that the API server may not serve, or may not let the operator read."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence

import pytest

from sluice_operator.object_follower import ATTEMPTS_AT_START, ObjectFollower
from sluice_operator.ports import ListExpired, NotFound, RequestRefused, Unavailable


class FakeSource:
    """An `ObjectSource` with an answer for each LIST, and events for each watch. An exception is raised."""

    def __init__(self, *lists: list[str] | Exception) -> None:
        self.lists = list(lists)
        self.watches: list[list[tuple[str, str] | Exception]] = []
        self.versions: list[str] = []

    async def list_objects(self) -> tuple[Sequence[str], str]:
        answer = self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
        if isinstance(answer, Exception):
            raise answer
        return answer, f"v{len(self.lists)}"

    async def watch_objects(self, resource_version: str) -> AsyncIterator[tuple[str, str]]:
        self.versions.append(resource_version)
        if not self.watches:
            await asyncio.Event().wait()
        for event in self.watches.pop(0):
            if isinstance(event, Exception):
                raise event
            yield event


class FakeStore:
    """An `ObjectStore` of texts."""

    def __init__(self) -> None:
        self.objects: set[str] = set()

    def replace_all(self, objects: Sequence[str]) -> None:
        self.objects = set(objects)

    def put(self, value: str) -> None:
        self.objects.add(value)

    def remove(self, value: str) -> None:
        self.objects.discard(value)


class Followed:
    """A follower and its store. It sleeps without waiting, until a test cancels it."""

    def __init__(self, source: FakeSource) -> None:
        self.sleeps: list[float] = []
        self.store = FakeStore()
        self.follower = ObjectFollower("ingestpolicies", source, self.store, self._sleep)

    async def run_for(self, turns: int) -> None:
        """Run the follower until it has slept this often or waits for a watch."""
        self._turns = turns
        running = asyncio.create_task(self.follower.run())
        for _ in range(50):
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    async def _sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        if len(self.sleeps) >= getattr(self, "_turns", 10):
            await asyncio.Event().wait()


async def test_objects_are_listed_and_then_watched() -> None:
    source = FakeSource(["a", "b"])
    source.watches = [[("MODIFIED", "c"), ("DELETED", "a"), ("ADDED", "d")]]
    followed = Followed(source)
    await followed.follower.list_at_start()
    await followed.run_for(1)
    assert (followed.store.objects, source.versions, followed.sleeps) == ({"b", "c", "d"}, ["v1"], [1.0])


async def test_a_watch_that_fails_is_followed_by_a_list() -> None:
    source = FakeSource(["a"], ["b"])
    source.watches = [[ListExpired("too old")]]
    followed = Followed(source)
    await followed.run_for(3)
    assert (followed.store.objects, followed.sleeps) == ({"b"}, [1.0])


async def test_a_kind_that_is_not_served_has_no_objects_until_it_is(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    source = FakeSource(["a"], NotFound("no such kind"), NotFound("no such kind"), ["b"])
    source.watches = [[]]
    followed = Followed(source)
    await followed.run_for(9)
    assert (followed.store.objects, followed.sleeps) == ({"b"}, [1.0, 30.0, 30.0])
    assert [each.message for each in caplog.records] == [
        "the objects of a kind cannot be read",
        "the objects of a kind can be read again",
    ]
    assert "apply crds/" in vars(caplog.records[0])["reason"]


@pytest.mark.parametrize("error", [RequestRefused("forbidden"), Unavailable("no answer")])
async def test_the_last_known_objects_are_kept_while_they_cannot_be_read(error: Exception) -> None:
    source = FakeSource(["a"], error)
    source.watches = [[]]
    followed = Followed(source)
    await followed.run_for(4)
    assert followed.store.objects == {"a"}
    if isinstance(error, RequestRefused):
        assert followed.sleeps == [1.0, 30.0, 30.0, 30.0]
        assert "sluice-operator-read" in followed.follower.problem
    else:
        assert followed.sleeps == [1.0, 1.0, 2.0, 4.0]
        assert followed.follower.problem == ""


@pytest.mark.parametrize(
    ("error", "attempts"),
    [(RequestRefused("no"), 0), (NotFound("no"), 0), (Unavailable("no answer"), ATTEMPTS_AT_START)],
)
async def test_the_start_of_the_operator_does_not_wait_for_the_kind(error: Exception, attempts: int) -> None:
    followed = Followed(FakeSource(error))
    await followed.follower.list_at_start()
    assert len(followed.sleeps) == attempts
