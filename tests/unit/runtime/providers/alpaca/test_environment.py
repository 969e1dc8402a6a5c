import asyncio
from pathlib import Path

from sluice_contract.alpaca import AlpacaSettings
from sluice_contract.values import SecretReference
from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.providers.alpaca.credentials import Credentials
from sluice_runtime.providers.alpaca.environment import EnvironmentCredentialsReader
from support.alpaca_provider import mount
from support.virtual_time import at

SETTINGS = AlpacaSettings(credentials_secret_ref=SecretReference(name="alpaca"))
GIVEN = Credentials("key", "secret")


def test_the_given_key_pair_replaces_the_secret(tmp_path: Path) -> None:
    mount(tmp_path, "another", "pair")
    given = EnvironmentCredentialsReader(SETTINGS, GIVEN)
    assert given.read_and_remember_credentials() == GIVEN
    assert given.tls_context() is None
    assert "secret" not in repr(given.read_and_remember_credentials())


def test_a_job_that_names_no_secret_has_the_key_pair_too() -> None:
    assert EnvironmentCredentialsReader(AlpacaSettings(), GIVEN).read_and_remember_credentials() == GIVEN


async def test_the_key_pair_never_changes() -> None:
    given = EnvironmentCredentialsReader(SETTINGS, GIVEN)
    given.read_and_remember_credentials()
    waiting = asyncio.create_task(given.wait_for_change())
    await at(3600)
    assert not waiting.done()
    await cancel_and_wait(waiting)


async def test_certificates_that_change_are_seen_within_a_second(tmp_path: Path) -> None:
    certificates = tmp_path / "ca.crt"
    certificates.write_text("one")
    given = EnvironmentCredentialsReader(SETTINGS, GIVEN, certificates)
    given.read_and_remember_credentials()
    waiting = asyncio.create_task(given.wait_for_change())
    await at(30.5)
    certificates.write_text("two")
    await at(30.9)
    assert not waiting.done()
    await at(31)
    assert waiting.done()


def test_the_remedies_name_the_environment() -> None:
    remedies = EnvironmentCredentialsReader(SETTINGS, GIVEN).remedies
    assert "in the environment" in remedies.for_credentials
    assert "SSL_CERT_FILE" in remedies.for_certificate
