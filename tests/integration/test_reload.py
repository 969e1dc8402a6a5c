"""POST /runtime/ingest/reload and SIGHUP: what is polled otherwise takes effect immediately, also in a pod.

The switch file is polled once an hour here, so each change that takes effect was read by a reload.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import time
import uuid
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bench import pod as pods
from bench.jobserver import JobServer
from sluice_contract import identity
from sluice_devcluster.node.execution import Mount
from support.eventually import eventually as eventually_in_loop
from support.site import SPEC, eventually
from support.standalone import Machine

HOUR = "3600"
START_SECONDS = 60.0  # a process that starts on a busy machine
TOKEN = "sesame-sesame"


@pytest.fixture
def machine(tmp_path: Path, emulator: str) -> Machine:
    made = Machine(tmp_path, emulator, f"reload-{uuid.uuid4().hex[:8]}")
    made.environment |= {"INGEST_ENABLED_FILE": str(tmp_path / "enabled"), "INGEST_ENABLED_POLL_S": HOUR}
    made.declare()
    return made


@pytest.fixture
def switch(tmp_path: Path) -> Path:
    return tmp_path / "enabled"


def wait_until(machine: Machine, state: str, seconds: float = 15.0) -> None:
    eventually(lambda: machine.status().get("state") == state, seconds=seconds)


def files_of(answer: dict[str, Any]) -> dict[str, str]:
    """Return what a reload has read, by the names of the files."""
    return {Path(each["file"]).name: each["content"] for each in answer["reload"]["files"]}


def test_a_reload_reads_the_switch_file_and_answers_with_the_resulting_state(machine: Machine, switch: Path) -> None:
    with machine.running():
        wait_until(machine, "Live", START_SECONDS)
        switch.write_text("off")
        status, answer = machine.request("reload")
        assert (status, answer["state"], answer["pausedBy"]) == (200, "Paused", [f"file:{switch}"])
        assert answer["pause"]["acknowledgedAt"]
        assert files_of(answer) == {"enabled": "off", "pauses.json": "no pause", "job.yaml": "unchanged"}
        status, answer = machine.request("start")
        assert (status, answer["state"], answer["pausedBy"]) == (409, "Paused", [f"file:{switch}"])
        switch.write_bytes(b"\xef\xbb\xbfon\r\n")
        status, answer = machine.request("reload")
        assert (status, answer["state"] != "Paused", answer["pausedBy"]) == (200, True, [])
        switch.unlink()
        assert files_of(machine.request("reload")[1])["enabled"] == "no file, so on"
    [paused, resumed, unchanged] = machine.logged("reload")
    assert paused.startswith(f"reloaded {switch} (off), ")
    assert paused.endswith(f": the job is paused by file:{switch}")
    assert resumed.endswith(": the job is resumed, and all documents are written once")
    assert unchanged.endswith(": the stream continues, and all documents are written once")


@pytest.mark.parametrize("content", [b"", b"halt", b"\xff\xfe\xff"])
def test_a_switch_file_that_cannot_be_used_is_an_error_and_changes_nothing(
    machine: Machine, switch: Path, content: bytes
) -> None:
    with machine.running():
        wait_until(machine, "Live", START_SECONDS)
        switch.write_bytes(content)
        for _ in range(2):
            status, answer = machine.request("reload")
            assert (status, answer["state"], answer["pausedBy"]) == (422, "Live", [])
            assert "ingestion stays enabled" in answer["error"]
    assert len(machine.logged("PAUSE_CHECK_FAILED")) == 2


def test_a_document_that_cannot_be_read_does_not_delay_the_stop_in_the_switch_file(
    machine: Machine, switch: Path
) -> None:
    with machine.running():
        wait_until(machine, "Live", START_SECONDS)
        machine.document.write_text("{")
        switch.write_text("off")
        status, answer = machine.request("reload")
        assert (status, answer["state"], answer["pausedBy"]) == (422, "Paused", [f"file:{switch}"])
        assert (files_of(answer)["enabled"], files_of(answer)["job.yaml"]) == ("off", "not usable")


def test_sighup_reads_the_switch_file_however_often_it_comes(machine: Machine, switch: Path) -> None:
    with machine.running() as process:
        eventually(machine.status, seconds=START_SECONDS)
        process.send_signal(signal.SIGHUP)  # before the stream is up
        wait_until(machine, "Live", START_SECONDS)
        switch.write_text("off")
        process.send_signal(signal.SIGHUP)
        wait_until(machine, "Paused")
        switch.write_text("on")
        for _ in range(2):
            process.send_signal(signal.SIGHUP)
        wait_until(machine, "Live")
        eventually(lambda: len(machine.logged("reload")) >= 3)
        process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            process.send_signal(signal.SIGHUP)
            with_pause_between_signals(process)
        assert process.wait(START_SECONDS) == 0


def with_pause_between_signals(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(0.01)
    except subprocess.TimeoutExpired:
        return


def test_two_reloads_at_once_answer_with_the_same_state(machine: Machine, switch: Path) -> None:
    with machine.running():
        wait_until(machine, "Live", START_SECONDS)
        switch.write_text("off")
        with ThreadPoolExecutor(2) as callers:
            answers = list(callers.map(lambda _: machine.request("reload"), range(2)))
        assert [(status, answer["state"]) for status, answer in answers] == [(200, "Paused")] * 2


def test_start_and_stop_answer_with_the_state_that_they_caused(machine: Machine) -> None:
    with machine.running():
        wait_until(machine, "Live", START_SECONDS)
        assert machine.request("stop")[1]["state"] == "Paused"
        status, answer = machine.request("start", {"symbols": []})
        assert (status, answer["error"].startswith("symbols is empty")) == (422, True)
        assert machine.status()["pausedBy"] == ["api"]
        status, answer = machine.request("start", {"symbols": ["SPY"], "dry_run": True})
        assert (status, answer["pausedBy"], answer["heartbeat"]["dryRun"]) == (200, [], True)
        assert (answer["state"] in ("Connecting", "Live"), answer["symbols"]["desired"]) == (True, 1)
        status, answer = machine.request("reload")
        assert (answer["heartbeat"]["dryRun"], answer["symbols"]["desired"]) == (False, 2)


class PodCaller:
    """Sends requests to a pod."""

    def __init__(self, session: aiohttp.ClientSession, log: Path) -> None:
        self._session = session
        self._url = f"http://{pods.ADDRESS}:{identity.HTTP_PORT}/runtime/ingest"
        self._log = log

    async def state(self) -> str:
        try:
            headers = {"Authorization": f"Bearer {TOKEN}"}
            async with self._session.get(f"{self._url}/status", headers=headers) as response:
                return str((await response.json())["state"])
        except aiohttp.ClientError:
            return ""

    async def post(self, action: str, token: str | None = TOKEN) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self._session.post(f"{self._url}/{action}", headers=headers) as response:
            return response.status, await response.json()

    def reloads(self) -> list[str]:
        lines = [json.loads(line) for line in self._log.read_text().splitlines() if line.startswith("{")]
        return [line["message"] for line in lines if line["event_type"] == "reload"]


@asynccontextmanager
async def running_pod(emulator: str, folder: Path) -> AsyncIterator[tuple[pods.Process, PodCaller]]:
    """Run a pod with an HTTP token and with a switch file, as a webhook of the cluster could add it."""
    for name in ("state", "http"):
        (folder / name).mkdir()
    (folder / "http" / identity.TOKEN_KEY).write_text(TOKEN)
    tenant = f"pod-{uuid.uuid4().hex[:8]}"
    job = {**SPEC, "tenant": tenant, "http": {"tokenSecretRef": {"name": "http"}}}
    mounts = [
        Mount(str(folder / "state"), identity.STATE_DIR, read_only=False),
        Mount(str(folder / "http"), identity.HTTP_TOKEN_DIR, read_only=True),
    ]
    variables = {"INGEST_ENABLED_FILE": str(folder / "enabled"), "INGEST_ENABLED_POLL_S": HOUR}
    process: pods.Process
    server: JobServer
    async with (
        pods.pod(job, emulator, folder / "pod", variables, mounts) as (process, server),
        aiohttp.ClientSession() as session,
    ):
        assert server.port
        yield process, PodCaller(session, folder / "pod" / "pod.log")


async def test_a_pod_reads_the_switch_file_at_a_reload_and_at_sighup(emulator: str, tmp_path: Path) -> None:
    switch = tmp_path / "enabled"

    async def is_in_state(caller: PodCaller, state: str) -> bool:
        return await caller.state() == state

    async with running_pod(emulator, tmp_path) as (process, caller):
        await eventually_in_loop(lambda: is_in_state(caller, "Live"), START_SECONDS)
        await asyncio.to_thread(switch.write_text, "off")
        status, answer = await caller.post("reload", token=None)
        assert (status, await caller.state()) == (403, "Live")
        status, answer = await caller.post("reload")
        assert (status, answer["state"], answer["pausedBy"]) == (200, "Paused", [f"file:{switch}"])
        assert answer["reload"]["files"] == [{"file": str(switch), "content": "off"}]
        await asyncio.to_thread(switch.write_text, "on")
        process.send_signal(signal.SIGHUP)
        await eventually_in_loop(lambda: is_in_state(caller, "Live"))
        status, answer = await caller.post("stop")
        assert (status, answer["state"]) == (200, "Paused")
        status, answer = await caller.post("start")
        assert (status, answer["state"] in ("Connecting", "Live")) == (200, True)
        assert [line.partition(": ")[2] for line in caller.reloads()] == [
            f"the job is paused by file:{switch}",
            "the job is resumed, and all documents are written once",
        ]
        process.send_signal(signal.SIGHUP)
        assert await process.end() == 0
