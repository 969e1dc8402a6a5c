import asyncio
from pathlib import Path

import pytest

from sluice_contract.alpaca import Alpaca
from sluice_contract.values import SecretReference
from sluice_runtime.adapters.alpaca.mount import AlpacaMount
from sluice_runtime.domain.failure import StreamError
from support.alpaca_provider import mount
from support.virtual_time import seconds, settle

SETTINGS = Alpaca(credentials_secret_ref=SecretReference(name="alpaca"))


def test_credentials_are_those_of_the_files_at_this_moment(tmp_path: Path) -> None:
    mounted = AlpacaMount(SETTINGS, mount(tmp_path, "key", "one"), None)
    assert mounted.credentials().secret_key == "one"
    mount(tmp_path, "key", "two")
    assert mounted.credentials().secret_key == "two"
    assert "two" not in repr(mounted.credentials())


@pytest.mark.parametrize("missing", ["ALPACA_KEY_ID", "ALPACA_SECRET_KEY"])
def test_half_a_secret_is_told_with_the_command_that_mends_it(tmp_path: Path, missing: str) -> None:
    (mount(tmp_path, "key", "secret") / missing).unlink()
    with pytest.raises(StreamError, match="kubectl create secret generic alpaca") as failure:
        AlpacaMount(SETTINGS, tmp_path, None).credentials()
    assert failure.value.kind == "configuration"


async def test_a_change_is_seen_within_a_second_and_only_once(tmp_path: Path) -> None:
    mounted = AlpacaMount(SETTINGS, mount(tmp_path, "key", "one"), None)
    mounted.credentials()
    waiting = asyncio.create_task(mounted.changed())
    await asyncio.sleep(30.5)
    mount(tmp_path, "key", "two")
    await waiting
    assert seconds() == 31.0
    mounted.credentials()
    waiting = asyncio.create_task(mounted.changed())
    await asyncio.sleep(60)
    assert not waiting.done()
    waiting.cancel()
    await settle()


async def test_a_secret_that_is_going_away_is_no_change(tmp_path: Path) -> None:
    mounted = AlpacaMount(SETTINGS, mount(tmp_path, "key", "one"), None)
    mounted.credentials()
    (tmp_path / "ALPACA_KEY_ID").unlink()
    waiting = asyncio.create_task(mounted.changed())
    await asyncio.sleep(10)
    assert not waiting.done()
    waiting.cancel()
    await settle()


def test_certificates_that_are_none_are_told(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("no certificate")
    with pytest.raises(StreamError, match="caConfigMapRef"):
        AlpacaMount(SETTINGS, tmp_path, tmp_path / "ca.crt").tls()
    assert AlpacaMount(SETTINGS, tmp_path, None).tls() is None
