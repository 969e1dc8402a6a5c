"""kopf on a real API server with a handler that makes it write: the write is rejected, and no event is lost."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from operator import contains
from typing import Any

import kopf
import pytest

from sluice_contract import identity
from sluice_devcluster.quickstart import Quickstart
from sluice_operator import handlers
from sluice_operator.adapters import access
from support.eventually import eventually
from support.site import Tenant


async def test_a_rejected_write_delays_no_event(
    site: Quickstart, tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    tenant.apply(enabled=False)
    refused: list[None] = []
    delivered: list[int] = []
    read_only = access.ReadOnlyMiddleware(lambda: refused.append(None))
    registry, stop = kopf.OperatorRegistry(), asyncio.Event()

    async with await access.create_kubeconfig_client(site.kubeconfig) as client:

        @kopf.on.login(registry=registry)
        async def log_in(**_: Any) -> kopf.AiohttpSession:
            session = access.create_read_only_session(client, read_only, 10)
            return kopf.AiohttpSession(server=client.configuration.host, aiohttp_session=session)

        @kopf.on.event(identity.GROUP, identity.VERSION, identity.PLURAL, registry=registry)
        async def job_event(body: kopf.Body, patch: kopf.Patch, **_: Any) -> None:
            delivered.append(body.metadata["generation"])
            patch.metadata.annotations["sluice.dev/written"] = "by kopf"

        running = asyncio.create_task(
            kopf.operator(
                registry=registry,
                settings=handlers.kopf_settings(),
                namespaces=[tenant.name],
                standalone=True,
                stop_flag=stop,
            )
        )
        await eventually(lambda: 1 in delivered)
        for generation in (2, 3, 4):
            await asyncio.to_thread(tenant.patch, symbols=[f"S{generation}"])
            await eventually(partial(contains, delivered, generation), seconds=2)
        stop.set()
        await running

    assert len(refused) >= 4
    assert "annotations" not in tenant.job()["metadata"]
    by_us = [record for record in caplog.records if record.name == access.__name__ and record.levelno == logging.ERROR]
    assert len(by_us) == 1
