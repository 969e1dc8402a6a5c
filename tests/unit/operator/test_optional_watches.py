"""Kinds that are not served or forbidden: kopf survives, the operator says what to apply, and jobs go on."""

from __future__ import annotations

import logging

import aiohttp
import pytest
from aiohttp import web

from sluice_contract import identity
from sluice_operator.adapters.delivering_responses import create_delivering_response_class
from sluice_operator.adapters.optional_watches import RETRY_SECONDS, OptionalWatches
from sluice_operator.adapters.page_turn import PageTurn
from sluice_operator.domain.optional_kinds import API_PATH, with_optional_kinds
from sluice_operator.kind_access import KindAccess
from sluice_operator.pause_lists import PauseLists
from sluice_operator.ports import NotFound, RequestRefused, Unavailable
from support.web_server import serve_on_free_port

from .pause_fakes import FakePauses
from .test_pause_state import Rig as StateRig
from .test_pause_state import job

REAL_TIME = True
PAUSES_PATH = f"{API_PATH}/{identity.PAUSES}"
FLEET, PAUSE = ("", "fleet"), ("acme", "p")


async def get(path: str, status: int, access: KindAccess, slept: list[float]) -> aiohttp.ClientResponse:
    """Send a request to a server that answers with this status, through the middleware of kopf's session."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"resources": [{"name": identity.PLURAL}]}, status=status)

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    application = web.Application()
    application.router.add_get("/{tail:.*}", answer)
    kind = create_delivering_response_class(PageTurn(), lambda *_: "")
    async with (
        serve_on_free_port(application) as url,
        aiohttp.ClientSession(middlewares=(OptionalWatches(access, sleep),), response_class=kind) as session,
    ):
        response = await session.get(f"{url}{path}")
        if path == API_PATH:
            names = [each["name"] for each in (await response.json())["resources"]]
            assert names == [identity.PLURAL, identity.PAUSES, identity.CLUSTER_PAUSES]
        return response


@pytest.mark.parametrize(("status", "remedy"), [(403, "ClusterRole sluice-operator-read"), (404, "crds/")])
async def test_a_refused_watch_is_tried_again_later_and_logged_once(
    status: int, remedy: str, caplog: pytest.LogCaptureFixture
) -> None:
    access, slept = KindAccess(), list[float]()
    caplog.set_level(logging.INFO)
    for _ in range(2):
        with pytest.raises(aiohttp.ClientPayloadError, match=f"HTTP {status}"):
            await get(f"{PAUSES_PATH}?watch=true", status, access, slept)
    assert slept == [RETRY_SECONDS] * 2
    assert remedy in access.problem_of(identity.PAUSES)
    assert access.values_by_kind() == {identity.PAUSES: 0.0, identity.CLUSTER_PAUSES: 1.0}
    await get(PAUSES_PATH, 200, access, slept)  # a LIST alone proves nothing about the watch
    assert access.values_by_kind()[identity.PAUSES] == 0.0
    await get(f"{PAUSES_PATH}?watch=true", 200, access, slept)
    assert access.problem_of(identity.PAUSES) == ""
    assert [each.levelname for each in caplog.records if each.name.endswith("kind_access")] == ["ERROR", "INFO"]


async def test_other_refusals_are_passed_on() -> None:
    access = KindAccess()
    assert (await get(f"{API_PATH}/{identity.PLURAL}", 404, access, [])).status == 404
    assert (await get(PAUSES_PATH, 500, access, [])).status == 500
    assert set(access.values_by_kind().values()) == {1.0}


async def test_kopf_is_shown_each_optional_kind() -> None:
    await get(API_PATH, 200, KindAccess(), [])
    complete = with_optional_kinds({"resources": []})
    assert with_optional_kinds(complete) == complete
    assert with_optional_kinds("nonsense") == "nonsense"


async def test_a_list_of_a_kind_that_is_not_served_removes_its_pauses_and_a_forbidden_one_keeps_them() -> None:
    rig, access = StateRig(), KindAccess()
    rig.add(job("a"))
    store = FakePauses(lambda: rig.state)
    lists = PauseLists(store, rig.state, access)
    store.declare(FLEET, {})
    store.declare(PAUSE, {"jobSelector": {}})
    assert await lists.replace_caches() == {identity.CLUSTER_PAUSES: {}, identity.PAUSES: {}}
    store.failures = {identity.PAUSES: RequestRefused("forbidden"), identity.CLUSTER_PAUSES: NotFound("no such kind")}
    assert list(await lists.replace_caches()) == [identity.CLUSTER_PAUSES]
    assert rig.sources(("acme", "a")) == ["pause:p"]
    assert set(access.values_by_kind().values()) == {0.0}
    store.failures = {identity.PAUSES: Unavailable("away")}
    with pytest.raises(Unavailable):
        await lists.replace_caches()
