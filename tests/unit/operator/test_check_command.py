"""The command `sluice-operator check`, without an API server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sluice_operator import check_command
from sluice_operator.check_command import FOUND, NOT_READ, NOTHING_FOUND, run_check
from sluice_operator.ports import ClusterError, Unavailable

from .world import SYNTHETIC

ENVIRONMENT = {"SLUICE_RUNTIME_IMAGE": "sluice-runtime:0.1.0"}


class FakeClient:
    """A client of the API server that counts how often it was closed."""

    closed = 0

    async def close(self) -> None:
        self.closed += 1


class Stored:
    """The stored jobs that a check reads, and the failure after the last one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.client = FakeClient()
        self.specs: list[dict[str, Any]] = []
        self.failure: ClusterError | None = None
        monkeypatch.setattr(check_command, "create_client", self._create_client)
        monkeypatch.setattr(check_command, "RequestSender", lambda client: client)
        monkeypatch.setattr(check_command, "read_stored_jobs", self._read)

    async def _create_client(self, _: Any) -> FakeClient:
        return self.client

    async def _read(self, *_: Any) -> AsyncIterator[dict[str, Any]]:
        for spec in self.specs:
            yield {"metadata": {"namespace": "acme", "name": "us", "uid": "u", "generation": 1}, "spec": spec}
        if self.failure is not None:
            raise self.failure


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> Stored:
    return Stored(monkeypatch)


async def check() -> tuple[int, list[str]]:
    said: list[str] = []
    return await run_check(ENVIRONMENT, said.append), said


async def test_a_valid_job_has_no_finding(stored: Stored) -> None:
    stored.specs = [SYNTHETIC]
    assert await check() == (NOTHING_FOUND, ["1 jobs, 0 findings, 0 of them to correct"])
    assert stored.client.closed == 1


async def test_a_finding_names_the_job_and_the_field(stored: Stored) -> None:
    stored.specs = [SYNTHETIC, SYNTHETIC | {"symbols": ["not a symbol"]}]
    code, said = await check()
    assert code == FOUND
    assert said[0].startswith("acme/us: spec.symbols")
    assert said[-1].startswith("2 jobs, ")


async def test_jobs_that_cannot_be_read_are_an_error_of_their_own(stored: Stored) -> None:
    stored.failure = Unavailable("no route to host")
    code, [sentence] = await check()
    assert code == NOT_READ
    assert sentence.startswith("the jobs cannot be read (no route to host)")
    assert stored.client.closed == 1


async def test_a_boolean_in_the_list_of_symbols_is_explained_by_yaml(stored: Stored) -> None:
    stored.specs = [SYNTHETIC | {"symbols": ["SPY", True]}]
    code, said = await check()
    assert code == FOUND
    assert said[0] == (
        "acme/us: spec.symbols[1]: is not accepted in a new job; YAML reads ON, YES, Y and TRUE without quotation "
        'marks as a boolean; write "ON"'
    )
