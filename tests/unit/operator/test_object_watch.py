"""The LIST and the watch of a kind that may be absent, without an API server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import pytest
from kubernetes.aio.config.config_exception import ConfigException

from sluice_contract.policies import IngestPolicyStatus
from sluice_operator.adapters.object_watch import KubernetesObjectWatch
from sluice_operator.adapters.page_turn import PageTurn
from sluice_operator.adapters.paged_lists import PagedLists
from sluice_operator.adapters.policies import KubernetesPolicyStatuses
from sluice_operator.domain.policy_objects import (
    PolicyObject,
    TenantNamespace,
    decode_namespace_text,
    decode_policy_text,
)
from sluice_operator.ports import ClusterError, ListExpired, NotFound, RequestRefused, Unavailable

from .policies import policy

PATH = "/api/v1/namespaces"


def namespace(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {"sluice.dev/tenant": name}, "uid": name}, "spec": {}}


def found(name: str) -> TenantNamespace:
    return TenantNamespace(name, {"sluice.dev/tenant": name})


class FakePages:
    """A RequestSender with these pages of a LIST, or with the response to a write. An exception is raised."""

    def __init__(self, *answers: Any, page_turn: PageTurn | None = None) -> None:
        self.page_turn = page_turn or PageTurn()
        self.held: list[bool] = []  # whether the lock of a page was held, for each request
        self.queries: list[dict[str, str]] = []
        self.bodies: list[Any] = []
        self._answers = list(answers)

    async def send_request(self, _: str, __: str, query: Mapping[str, str] | None = None, body: Any = None) -> bytes:
        self.held.append(self.page_turn.is_taken)
        self.queries.append(dict(query or {}))
        self.bodies.append(body)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, bytes) else msgspec.json.encode(answer)


class FakeWatch:
    """A response with these parts of its body, to a request that is recorded."""

    def __init__(self, *parts: bytes | Exception, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.status = status
        self.headers = headers or {}
        self.content = self
        self.queries: list[dict[str, str]] = []
        self._parts = parts

    async def iter_any(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            if isinstance(part, Exception):
                raise part
            yield part

    async def read(self) -> bytes:
        return b"".join([part async for part in self.iter_any()])

    @asynccontextmanager
    async def open(self, _: str, query: Mapping[str, str]) -> AsyncIterator[FakeWatch]:
        self.queries.append(dict(query))
        yield self


def source(pages: FakePages, watch: FakeWatch) -> KubernetesObjectWatch[TenantNamespace]:
    lists = PagedLists(pages, pages.page_turn)  # type: ignore[arg-type]
    return KubernetesObjectWatch(lists, watch.open, PATH, decode_namespace_text, {"labelSelector": "x"})  # type: ignore[arg-type]


def event(kind: str, document: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"type": kind, "object": document}) + b"\n"


async def test_all_pages_are_listed_and_the_version_is_that_of_the_list() -> None:
    first = {"metadata": {"continue": "more", "resourceVersion": "7"}, "items": [namespace("a"), namespace("b")]}
    pages = FakePages(first, {"metadata": {"resourceVersion": "7"}, "items": [namespace("c")]})
    assert await source(pages, FakeWatch()).list_objects() == ([found("a"), found("b"), found("c")], "7")
    assert [query.get("continue") for query in pages.queries] == [None, "more"]
    assert {query["labelSelector"] for query in pages.queries} == {"x"}


async def test_a_page_has_at_most_50_objects_and_is_read_while_its_lock_is_held() -> None:
    pages = FakePages({"metadata": {"continue": "more"}, "items": [namespace("a")]}, {"items": [namespace("b")]})
    async with pages.page_turn.take():  # another LIST has its page in memory
        listing = asyncio.create_task(source(pages, FakeWatch()).list_objects())
        await asyncio.sleep(0)
        assert pages.queries == []
    assert (await listing)[0] == [found("a"), found("b")]
    assert {query["limit"] for query in pages.queries} == {"50"}
    assert (pages.held, pages.page_turn.is_taken) == ([True, True], False)


async def test_a_list_that_expires_before_its_last_page_starts_again() -> None:
    first = {"metadata": {"continue": "more", "resourceVersion": "7"}, "items": [namespace("a")]}
    last = {"metadata": {"resourceVersion": "9"}, "items": [namespace("b")]}
    pages = FakePages(first, ListExpired("too old"), last)
    assert await source(pages, FakeWatch()).list_objects() == ([found("b")], "9")
    assert [query.get("continue") for query in pages.queries] == [None, "more", None]
    with pytest.raises(ListExpired):
        await source(FakePages(*[ListExpired("too old")] * 3), FakeWatch()).list_objects()


@pytest.mark.parametrize("answer", [b'{"items"', {"items": [{"metadata": {"labels": 7}}]}])
async def test_a_response_that_is_not_understood_is_unavailable(answer: Any) -> None:
    with pytest.raises(Unavailable, match="the response is not understood"):
        await source(FakePages(answer), FakeWatch()).list_objects()


async def test_changes_are_yielded_and_bookmarks_left_out_until_the_watch_ends() -> None:
    lines = event("ADDED", namespace("a")) + event("BOOKMARK", {"metadata": {}}) + event("DELETED", namespace("b"))
    watch = FakeWatch(lines[:20], lines[20:])
    assert [each async for each in source(FakePages(), watch).watch_objects("7")] == [
        ("ADDED", found("a")),
        ("DELETED", found("b")),
    ]
    [query] = watch.queries
    assert (query["watch"], query["resourceVersion"], query["labelSelector"]) == ("true", "7", "x")


async def test_an_object_with_deeply_nested_managed_fields_does_not_end_the_watch() -> None:
    deep = b'{"f":' * 5000 + b"1" + b"}" * 5000
    line = event("MODIFIED", namespace("a")).replace(b'"labels"', b'"managedFields":' + deep + b',"labels"')
    assert [each async for each in source(FakePages(), FakeWatch(line)).watch_objects("7")] == [
        ("MODIFIED", found("a"))
    ]


@pytest.mark.parametrize(
    ("watch", "error"),
    [
        (FakeWatch(status=404), NotFound),
        (FakeWatch(status=403), RequestRefused),
        (FakeWatch(status=410), ListExpired),
        (FakeWatch(status=500), Unavailable),
        (FakeWatch(TimeoutError(), status=403), Unavailable),
        (FakeWatch(event("ERROR", {"code": 410})), ListExpired),
        (FakeWatch(b"<html>\n"), Unavailable),
        (FakeWatch(aiohttp.ClientPayloadError("cut")), Unavailable),
        (FakeWatch(TimeoutError()), Unavailable),
        (FakeWatch(ConfigException("the file of the token is empty")), Unavailable),
    ],
)
async def test_a_watch_that_fails_raises_the_error_of_the_port(watch: FakeWatch, error: type[ClusterError]) -> None:
    with pytest.raises(error):
        [each async for each in source(FakePages(), watch).watch_objects("7")]


@pytest.mark.parametrize(
    ("body", "message"), [(b'{"message": "ask the platform"}', "ask the platform"), (b"", "HTTP 403")]
)
async def test_the_body_of_a_refused_watch_gives_the_message(body: bytes, message: str) -> None:
    with pytest.raises(RequestRefused, match=message):
        [each async for each in source(FakePages(), FakeWatch(body, status=403)).watch_objects("7")]


async def test_a_refused_watch_says_when_the_next_request_is_wanted() -> None:
    with pytest.raises(Unavailable) as found:
        [
            each
            async for each in source(FakePages(), FakeWatch(status=503, headers={"Retry-After": "9"})).watch_objects(
                "7"
            )
        ]
    assert found.value.retry_after == 9


@pytest.mark.parametrize("line", [b"\xff\n", b'{"type": "\xff", "object": {}}\n', b"[" * 10_000 + b"\n"])
async def test_a_line_that_is_not_json_is_a_failure(line: bytes) -> None:
    with pytest.raises(Unavailable, match="failed"):
        [each async for each in source(FakePages(), FakeWatch(line)).watch_objects("7")]


async def test_the_status_of_a_policy_is_applied_and_the_policy_returned() -> None:
    stored = PolicyObject(metadata=policy().metadata, policy=policy())
    document = {"metadata": {"name": "tenants", "uid": "uid-tenants", "generation": 1}, "status": {"jobs": 3}}
    sender = FakePages(document | {"spec": {"namespaceSelector": {}}})
    written = await KubernetesPolicyStatuses(sender).write_policy_status(stored, IngestPolicyStatus(jobs=3))  # type: ignore[arg-type]
    assert (written.status.jobs, written.policy) == (3, policy())
    [body] = sender.bodies
    assert body["metadata"] == {"name": "tenants"}
    assert (body["kind"], body["status"]) == ("IngestPolicy", {"jobs": 3})


async def test_the_difference_to_the_status_of_a_policy_is_merged_if_the_apply_is_refused() -> None:
    stored = PolicyObject(metadata=policy().metadata, policy=policy())
    document = {"metadata": {"name": "tenants", "uid": "uid-tenants"}, "spec": {"namespaceSelector": {}}}
    sender = FakePages(RequestRefused("no"), document | {"status": {"deniedJobs": 1}}, document)
    await KubernetesPolicyStatuses(sender).write_policy_status(stored, IngestPolicyStatus(jobs=3))  # type: ignore[arg-type]
    assert sender.bodies[-1] == {"metadata": {"uid": "uid-tenants"}, "status": {"deniedJobs": None, "jobs": 3}}


def test_a_policy_is_read_also_if_its_status_is_not_understood() -> None:
    document = {"metadata": {"name": "a", "uid": "u"}, "spec": {"namespaceSelector": {}}, "status": {"jobs": "many"}}
    read = decode_policy_text(msgspec.json.encode(document))
    assert (read.problem, read.status) == ("", IngestPolicyStatus())
    assert read.policy is not None
    without_spec = decode_policy_text(b'{"metadata": {"name": "a", "uid": "u"}}')
    assert without_spec.policy is None
    assert without_spec.problem.startswith("spec is not understood")
