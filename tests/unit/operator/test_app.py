"""The start and the end of the operator, with an API server that cannot be reached."""

from __future__ import annotations

import asyncio
import logging
import signal

import msgspec
import pytest
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

from sluice_operator import app
from sluice_operator.adapters.access import WriteInReadOnlySession
from sluice_operator.adapters.api import RequestSender
from sluice_operator.app import run_operator
from sluice_operator.object_follower import ObjectFollower
from sluice_operator.parts import assembled_parts, register_gauges
from sluice_operator.ports import NotFound
from sluice_operator.resync import Resync
from sluice_operator.settings import Settings, settings_from_environment
from support.deadlines import wait_for

from .world import KEY, SYNTHETIC, job_of

REAL_TIME = True
ENVIRONMENT = {"SLUICE_RUNTIME_IMAGE": "sluice-runtime:0.1.0"}


def settings() -> Settings:
    return msgspec.structs.replace(settings_from_environment(ENVIRONMENT), host="127.0.0.1", port=0)


def client() -> ApiClient:
    return ApiClient(Configuration(host="http://127.0.0.1:1"))  # nothing listens there


async def test_a_signal_ends_an_operator_that_has_not_listed_anything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="sluice_operator.app")
    started = asyncio.Event()

    def note_start(_: logging.LogRecord) -> bool:
        started.set()
        return True

    caplog.handler.addFilter(note_start)
    running = asyncio.create_task(run_operator(settings(), client()))
    await wait_for(started.wait(), 30)
    signal.raise_signal(signal.SIGTERM)
    await wait_for(running, 30)
    assert [each.message for each in caplog.records if each.name == "sluice_operator.app"] == ["started", "stopped"]


async def test_policies_are_listed_once_the_api_server_has_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The few attempts to list them would otherwise be over before an API server that starts later answers."""
    listed: list[str] = []

    async def list_jobs(_: Resync) -> None:
        listed.append("jobs")

    async def list_kind(follower: ObjectFollower[object]) -> None:
        listed.append(follower.kind)

    monkeypatch.setattr(Resync, "list_until_complete", list_jobs)
    monkeypatch.setattr(ObjectFollower, "list_at_start", list_kind)
    async with assembled_parts(settings(), client()) as parts:
        await app._list_jobs_and_policies(parts)
    assert listed == ["jobs", "ingestpolicies", "namespaces"]


async def test_policies_and_namespaces_are_listed_while_the_lock_of_kopf_s_pages_is_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held: dict[str, bool] = {}
    async with assembled_parts(settings(), client()) as parts:

        async def record_and_refuse(_: RequestSender, __: str, path: str, ___: object) -> bytes:
            held[path] = parts.page_turn.is_taken
            raise NotFound(path)

        monkeypatch.setattr(RequestSender, "send_request", record_and_refuse)
        await parts.policy_follower.list_at_start()
        await parts.namespace_follower.list_at_start()
        assert not parts.page_turn.is_taken
    assert held == {"/apis/sluice.dev/v1alpha1/ingestpolicies": True, "/api/v1/namespaces": True}


async def test_a_replica_is_ready_after_its_first_list_if_the_policies_are_proven() -> None:
    async with assembled_parts(settings(), client()) as parts:
        assert app._readiness_problem(parts) == "the first LIST is not complete"
        parts.first_list_done.set()
        problem = parts.policy_proof.problem
        assert app._readiness_problem(parts) == (problem.message if problem is not None else "")


async def test_the_gauges_show_the_parts() -> None:
    async with assembled_parts(settings(), client()) as parts:
        register_gauges(parts)
        parts.queue.add(KEY)
        lines = parts.metrics.encode_as_prometheus_text().decode().splitlines()
    assert {"sluice_operator_queue_depth 1.0", "sluice_operator_jobs 0.0", "sluice_operator_leader 0.0"} <= set(lines)


async def test_only_the_leader_has_the_series_of_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    async with assembled_parts(settings(), client()) as parts:
        register_gauges(parts)
        parts.store.jobs.put_if_newer(KEY, job_of(SYNTHETIC))
        assert b"sluice_ingestjob_info{" not in parts.metrics.encode_as_prometheus_text()
        monkeypatch.setattr(type(parts.leadership), "is_leading", True)
        assert b"sluice_ingestjob_info{" in parts.metrics.encode_as_prometheus_text()


def test_a_refused_write_of_kopf_is_logged_once() -> None:
    def record(error: Exception | None) -> logging.LogRecord:
        info = (type(error), error, None) if error is not None else None
        return logging.LogRecord("kopf.objects", logging.ERROR, "", 0, "failed", None, info)

    assert app._has_no_refused_write(record(None))
    assert app._has_no_refused_write(record(ValueError("another")))
    assert not app._has_no_refused_write(record(WriteInReadOnlySession("PATCH")))
