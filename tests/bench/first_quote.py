"""The time from `kubectl apply` of a job to its first quote in Firestore, on a devcluster, and where the time goes.

The first document's `createTime` is set by the emulator, which runs on the same machine as kubectl.
"""

from __future__ import annotations

import asyncio
import json
import shlex
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from bench.documents import quote_documents
from bench.latencies import percentile
from bench.pod import image_environment
from bench.rows import Row
from bench.watch_events import Watcher, running_watcher
from sluice_devcluster.emulator_documents import PROJECT
from sluice_devcluster.layout import StateDirectory
from sluice_devcluster.quickstart import Quickstart
from support.cluster import BIN, sluice_on_devcluster
from support.site import Tenant, eventually, instant, streaming_from
from support.upstream import Upstream

ROUNDS = 15
MOST_SECONDS = 1.0  # p50 from the start of kubectl to the first document
QUOTES_PER_SECOND = 1000
SYMBOLS = [f"S{number:02d}" for number in range(30)]
JOB = "feed"
_PODS = "/api/v1/pods"
_POLL_SECONDS = 0.2
_PATIENCE_SECONDS = 30.0
_REST_SECONDS = 1.0  # between two jobs


@dataclass(frozen=True)
class FirstQuote:
    """Unix seconds of each step of one job, relative to the start of kubectl, in the order of the steps."""

    pod_created: float
    pod_assigned: float
    libraries_loaded: float
    connected: float
    first_document: float


STEPS = (
    "the pod exists",
    "the pod is assigned to a node",
    "the runtime has loaded its libraries",
    "the runtime is connected to the provider",
    "the first quote is in Firestore",
)


def rows(folder: Path, rounds: int = ROUNDS) -> list[Row]:
    """Apply `rounds` jobs one after the other, each in a namespace of its own, and delete each after its first quote.

    The first job is not counted: the JVM of the emulator is slow at its first commits.
    """
    state = StateDirectory(folder / "devcluster")
    with sluice_on_devcluster(state.root, _programs_with_image_settings(folder / "programs")) as site:
        return _rows(asyncio.run(_measured(site, state, rounds)))


def _programs_with_image_settings(folder: Path) -> Path:
    """Return a folder with the programs of Sluice, where the runtime has the settings of its image."""
    folder.mkdir()
    for program in BIN.iterdir():
        (folder / program.name).symlink_to(program)
    settings = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in image_environment().items())
    runtime = folder / "sluice-runtime"
    runtime.unlink()
    runtime.write_text(f'#!/bin/sh\n{settings}exec {shlex.quote(str(BIN / runtime.name))} "$@"\n')
    runtime.chmod(0o755)
    return folder


def _rows(measured: Sequence[FirstQuote]) -> list[Row]:
    name = "apply to first quote"
    found = []
    for step, of_step in zip(STEPS, zip(*map(astuple, measured), strict=True), strict=True):
        found.append(Row(name=f"{name}: until {step}, p50 of {len(of_step)}", unit="s", ours=percentile(of_step, 50)))
    times = [each.first_document for each in measured]
    middle = percentile(times, 50)
    target, is_met = f"<= {MOST_SECONDS:g} s", middle <= MOST_SECONDS
    found.append(Row(name=f"{name}, p50 of {len(times)}", unit="s", ours=middle, target=target, met=is_met))
    found.append(Row(name=f"{name}, longest of {len(times)}", unit="s", ours=max(times)))
    return found


async def _measured(site: Quickstart, state: StateDirectory, rounds: int) -> list[FirstQuote]:
    with Upstream("--quotes-per-second", str(QUOTES_PER_SECOND), "--no-deflate") as upstream:
        async with running_watcher(state, _PODS) as watcher:
            _, *counted = [await _first_quote(site, upstream, watcher, number) for number in range(rounds + 1)]
    return counted


async def _first_quote(site: Quickstart, upstream: Upstream, watcher: Watcher, number: int) -> FirstQuote:
    """Apply one job and return the times of its steps. Then delete it, and wait until its pod is gone."""
    tenant = Tenant(site.kubectl, site.emulator, f"first-{number}")
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    await asyncio.sleep(_REST_SECONDS)
    asked = time.time()
    # The default limits, as of a job that names none.
    spec: dict[str, Any] = {"limits": None, "heartbeat": None, **streaming_from(upstream)}
    await asyncio.to_thread(tenant.apply, JOB, symbols=SYMBOLS, **spec)
    first = await _first_document_time(site.emulator, tenant.name)
    created = await watcher.first(lambda each: _is_in(each.document, tenant.name))
    assigned = await watcher.first(lambda each: _is_in(each.document, tenant.name) and _node(each.document))
    loaded = _first_line_time(tenant.run("logs", created.name))
    connected = upstream.record()["connections"][-1]["opened"]
    await asyncio.to_thread(tenant.run, "delete", "ij", JOB)
    await asyncio.to_thread(eventually, lambda: not tenant.pods(), _PATIENCE_SECONDS, _POLL_SECONDS)
    return FirstQuote(*(at - asked for at in (created.at, assigned.at, loaded, connected, first)))


async def _first_document_time(emulator: str, tenant: str) -> float:
    """Wait for the tenant's first quote document; return the Unix seconds at which Firestore created it."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not (found := await asyncio.to_thread(quote_documents, emulator, PROJECT, tenant)):  # noqa: ASYNC110  a poll
            await asyncio.sleep(_POLL_SECONDS)
    return min(instant(each["createTime"]).timestamp() for each in found)


def _is_in(document: dict[str, Any], namespace: str) -> bool:
    return bool(document["metadata"]["namespace"] == namespace)


def _node(document: dict[str, Any]) -> str:
    return str(document["spec"].get("nodeName", ""))


def _first_line_time(log: str) -> float:
    """Return the Unix seconds of the first line of a runtime's log."""
    return instant(json.loads(log.partition("\n")[0])["ts"]).timestamp()
