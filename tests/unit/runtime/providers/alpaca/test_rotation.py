"""When a mounted key pair replaces the connection, in virtual time; the stream itself is in the integration tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest

from sluice_contract.alpaca import AlpacaSettings
from sluice_contract.values import SecretReference
from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.providers.alpaca.credentials import Credentials, CredentialsReader
from sluice_runtime.providers.alpaca.key_pair_check import KeyPairCheck, KeyPairCheckError
from sluice_runtime.providers.alpaca.rotation import KeyPairRotation
from support.alpaca_provider import mount
from support.fake_listener import FakeListener
from support.virtual_time import at, seconds

OLD, NEW = Credentials("key", "old"), Credentials("key", "new")


class FakeCheck:
    """A check that answers with the next of `answers`, and then always with the last one."""

    def __init__(self, *answers: int | str | None) -> None:
        self.answers = list(answers)
        self.checked: list[tuple[float, str]] = []

    async def refusal_status(self, pair: Credentials, _: object) -> int | None:
        self.checked.append((seconds(), pair.secret_key))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, str):
            raise KeyPairCheckError(answer)
        return answer


class World:
    """A rotation while the stream uses the pair OLD, which is mounted."""

    def __init__(self, folder: Path, check: FakeCheck | None) -> None:
        settings = AlpacaSettings(credentials_secret_ref=SecretReference(name="alpaca"))
        self.folder = mount(folder, "key", "old")
        self.reader = CredentialsReader(settings, folder, None)
        self.reader.read_and_remember_credentials()
        self.rotation = KeyPairRotation(self.reader, cast("KeyPairCheck | None", check))
        self.listener = FakeListener()
        self.rotation.report_to(self.listener)
        self.rotation.record_acceptance(OLD)

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[asyncio.Task[None]]:
        task = asyncio.create_task(self.rotation.wait_until_replaceable(OLD))
        try:
            yield task
        finally:
            await cancel_and_wait(task)


async def test_a_pair_counts_when_it_is_the_same_in_two_reads(tmp_path: Path) -> None:
    world = World(tmp_path, None)
    async with world.waiting() as task:
        await at(10.5)
        mount(tmp_path, "key", "new")
        await at(11.5)
        assert not task.done()
        await at(12.1)
        assert task.done()


async def test_an_accepted_pair_is_checked_once(tmp_path: Path) -> None:
    check = FakeCheck(None)
    world = World(tmp_path, check)
    mount(tmp_path, "key", "new")
    async with world.waiting() as task:
        await at(5)
        assert task.done()
    assert check.checked == [(1, "new")]


async def test_a_refused_pair_is_checked_once_and_reported(tmp_path: Path) -> None:
    check = FakeCheck(401)
    world = World(tmp_path, check)
    mount(tmp_path, "key", "new")
    async with world.waiting() as task:
        await at(600)
        assert not task.done()
    assert check.checked == [(1, "new")]
    assert world.listener.credentials[0] == (1, None)
    [(generation, problem)] = world.listener.credentials[1:]
    assert (generation, "refuses the new key pair in the Secret alpaca (HTTP 401)" in str(problem)) == (1, True)


async def test_a_half_written_pair_is_checked_at_most_once_and_the_whole_one_is_used(tmp_path: Path) -> None:
    check = FakeCheck(401, None)
    world = World(tmp_path, check)
    (tmp_path / "ALPACA_KEY_ID").write_text("other")
    async with world.waiting() as task:
        await at(60)
        mount(tmp_path, "other", "new")
        await at(63)
        assert task.done()
    assert [secret for _, secret in check.checked] == ["old", "new"]


async def test_while_the_check_has_no_result_the_old_pair_streams_for_half_a_minute(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    check = FakeCheck("HTTP 503")
    world = World(tmp_path, check)
    mount(tmp_path, "key", "new")
    async with world.waiting() as task:
        await at(30)
        assert not task.done()
        await at(32)
        assert task.done()
    assert [moment for moment, _ in check.checked] == [1, 3, 7, 15]
    assert "the new key pair cannot be checked over REST (HTTP 503); trying it on the stream" in caplog.text


async def test_a_pair_that_changes_during_its_check_is_not_used(tmp_path: Path) -> None:
    check = FakeCheck("HTTP 503", None, None)
    world = World(tmp_path, check)
    mount(tmp_path, "key", "new")
    async with world.waiting() as task:
        await at(2)
        mount(tmp_path, "key", "newer")
        await at(4)
        assert not task.done()
        await at(10)
        assert task.done()
    assert check.checked[-1][1] == "newer"


async def test_the_old_pair_that_returns_ends_the_problem(tmp_path: Path) -> None:
    world = World(tmp_path, FakeCheck(403))
    mount(tmp_path, "key", "new")
    async with world.waiting():
        await at(5)
        mount(tmp_path, "key", "old")
        await at(8)
    assert world.listener.credentials[-1] == (1, None)


async def test_a_pair_that_is_removed_is_no_change(tmp_path: Path) -> None:
    check = FakeCheck(None)
    world = World(tmp_path, check)
    (tmp_path / "ALPACA_KEY_ID").unlink()
    async with world.waiting() as task:
        await at(60)
        assert not task.done()
    assert check.checked == []


async def test_new_certificates_replace_the_connection_with_the_same_pair(tmp_path: Path) -> None:
    certificates = tmp_path / "ca.crt"
    certificates.write_text("one")
    world = World(tmp_path, None)
    world.reader._ca_file = certificates
    world.reader.read_and_remember_credentials()
    async with world.waiting() as task:
        await at(5)
        assert not task.done()
        certificates.write_text("two")
        await at(7)
        assert task.done()


async def test_a_pair_that_was_refused_is_in_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    world = World(tmp_path, FakeCheck(401))
    mount(tmp_path, "key", "very-secret")
    async with world.waiting():
        await at(5)
    assert "Alpaca refuses the new key pair" in caplog.text
    assert "very-secret" not in caplog.text
