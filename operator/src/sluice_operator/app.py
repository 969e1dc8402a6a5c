"""The run of the operator: the order in which its parts start and stop."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable

import kopf
from kubernetes.aio.client.api_client import ApiClient

from . import logs
from .adapters.access import WriteInReadOnlySession
from .adapters.delivering_responses import create_delivering_response_class
from .adapters.http_api import EndpointSources, http_server
from .cluster_uid import read_cluster_uid_or_empty
from .handlers import kopf_registry, kopf_settings
from .kopf_login import KopfLogin
from .parts import OperatorParts, assembled_parts, register_gauges
from .settings import Settings
from .watch_delivery import WatchDelivery
from .watchdog import raise_when_kopf_watcher_is_missing
from .workers import StartGate

log = logging.getLogger(__name__)

STOP_SECONDS = 10.0


async def run_operator(settings: Settings, api_client: ApiClient) -> None:
    """Run the operator until SIGTERM or SIGINT. Raises an ExceptionGroup with `WatchBroken` if it must be restarted."""
    async with assembled_parts(settings, api_client) as parts:
        register_gauges(parts)
        health = EndpointSources(
            alive=parts.lag_monitor.loop_is_on_time,
            readiness_problem=lambda: _readiness_problem(parts),
            metrics=parts.metrics.prometheus_text_parts,
        )
        async with http_server(health, settings.host, settings.port):
            log.info("started", extra={"server": api_client.configuration.host, "image": settings.image})
            try:
                with logs.job_fields_in_log_lines(parts.store.jobs.get):
                    await _run_parts_until_signal(parts)
            finally:
                await parts.leadership.release_lease_if_leading()
    log.info("stopped")


def _readiness_problem(parts: OperatorParts) -> str:
    """Return why this replica is not ready; an empty text if it is."""
    if not parts.first_list_done.is_set():
        return "the first LIST is not complete"
    problem = parts.policy_proof.problem
    return problem.message if problem is not None else ""


async def _run_parts_until_signal(parts: OperatorParts) -> None:
    async with asyncio.TaskGroup() as group:
        # All tasks start before kopf: when kopf stops, it cancels every task that was started after it.
        endless = [
            group.create_task(parts.lag_monitor.run(), name="pulse"),
            group.create_task(parts.recorder.run(), name="recorder"),
            group.create_task(_run_after_gate_opens(parts.first_list_done, parts.leadership.run), name="election"),
            group.create_task(parts.leadership.exit_when_lease_expires(), name="deadline"),
            # The standby runs the trials too: it is ready, and creates pods at once when it leads.
            group.create_task(parts.policy_proof.run(asyncio.sleep), name="policies"),
            *(
                group.create_task(_run_after_gate_opens(gate, work), name="ingest policies")
                for gate, work in _loops_of_ingest_policies(parts)
            ),
            group.create_task(
                _run_after_gate_opens(parts.leadership, lambda: _apply_and_follow_accounts(parts)), name="accounts"
            ),
            group.create_task(
                _run_after_gate_opens(parts.first_list_done, lambda: parts.resync.run(parts.queue.add)), name="resync"
            ),
            group.create_task(_run_after_gate_opens(parts.first_list_done, parts.live_reads.run), name="live reads"),
            group.create_task(parts.pauses.statuses.run(parts.leadership), name="pause statuses"),
            group.create_task(
                _run_after_gate_opens(parts.leadership, lambda: parts.pauses.pod_access.run(asyncio.sleep)),
                name="pause access",
            ),
            group.create_task(
                _run_after_gate_opens(parts.first_list_done, _raise_when_kopf_watcher_is_missing), name="watchdog"
            ),
        ]
        workers = group.create_task(parts.workers.run(parts.settings.workers), name="workers")
        if await _wait_for_first_list_or_signal(parts):
            await _run_kopf_watches_until_signal(parts)
        parts.queue.shut_down(parts.settings.workers)
        if parts.leadership.is_leading:
            await asyncio.wait([workers], timeout=STOP_SECONDS)
        for task in (*endless, workers):
            task.cancel()


def _loops_of_ingest_policies(parts: OperatorParts) -> list[tuple[StartGate, Callable[[], Awaitable[None]]]]:
    """Return the loops that read policies and namespaces and write the status of policies, each with its gate."""
    return [
        (parts.first_list_done, parts.policy_follower.run),
        (parts.first_list_done, parts.namespace_follower.run),
        (parts.leadership, parts.policy_status_writer.run),
    ]


async def _apply_and_follow_accounts(parts: OperatorParts) -> None:
    """Apply the ServiceAccounts and RoleBindings of all namespaces, then restore those that another client deletes."""
    await parts.resync.apply_accounts_and_role_bindings()
    async with asyncio.TaskGroup() as group:
        group.create_task(parts.accounts.repair.run(), name="account repair")
        for follower in parts.accounts.followers:
            group.create_task(follower.run(), name=f"watch of {follower.kind}")


async def _list_jobs_and_policies(parts: OperatorParts) -> None:
    """List everything that decisions need. No pod is created before.

    The attempts to list policies are few, so they come last: the LIST of jobs waits until the API server answers.
    """
    await parts.resync.list_until_complete()
    await parts.policy_follower.list_at_start()
    await parts.namespace_follower.list_at_start()


async def _wait_for_first_list_or_signal(parts: OperatorParts) -> bool:
    """Wait for the first full LIST or for SIGTERM or SIGINT, and set `first_list_done` if the LIST is complete.

    Return whether it is complete.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    first, stopped = asyncio.create_task(_list_jobs_and_policies(parts)), asyncio.create_task(stop.wait())
    await asyncio.wait((first, stopped), return_when=asyncio.FIRST_COMPLETED)
    for task in (first, stopped):
        task.cancel()
    if stop.is_set():
        return False
    await first
    parts.reconciler.set_cluster_uid(await read_cluster_uid_or_empty(parts.cluster, asyncio.sleep))
    parts.first_list_done.set()
    return True


async def _run_kopf_watches_until_signal(parts: OperatorParts) -> None:
    """Run kopf's watches until SIGTERM or SIGINT. From here on, kopf handles the signals."""
    logging.getLogger("kopf.objects").addFilter(_has_no_refused_write)  # the session has already logged the refusal
    count_refused = parts.metrics.count_refused_kopf_write
    deliver = WatchDelivery(parts.store).deliver
    responses = create_delivering_response_class(parts.page_turn, deliver, parts.watch_ages.record_sign)
    login = KopfLogin(parts.api_client, count_refused, responses, parts.pauses.kind_access)
    await kopf.operator(
        registry=kopf_registry(parts.store, login),
        settings=kopf_settings(),
        clusterwide=not parts.settings.namespaces,
        namespaces=parts.settings.namespaces,
        standalone=True,
    )


async def _run_after_gate_opens(gate: StartGate, work: Callable[[], Awaitable[None]]) -> None:
    """Wait until `gate` opens (at the first list, or when this replica leads), then run `work` until it returns."""
    await gate.wait()
    await work()


async def _raise_when_kopf_watcher_is_missing() -> None:
    """Check the tasks of this event loop until one of kopf's watchers is missing. Then raise `WatchBroken`."""
    await raise_when_kopf_watcher_is_missing(lambda: [task.get_name() for task in asyncio.all_tasks()])


def _has_no_refused_write(record: logging.LogRecord) -> bool:
    """Return False for a log record about a write that kopf's read-only session refused, True for any other record."""
    return record.exc_info is None or not isinstance(record.exc_info[1], WriteInReadOnlySession)
