import asyncio
import ssl
from pathlib import Path

import pytest

from sluice_contract.alpaca import AlpacaSettings
from sluice_contract.values import SecretReference
from sluice_runtime.domain.failure import StreamError
from sluice_runtime.providers.alpaca.credentials import Credentials, CredentialsReader, KeyPairHistory
from support.alpaca_provider import mount
from support.certificates import self_signed
from support.encodings import ENCODINGS, UNREADABLE, Encode
from support.virtual_time import seconds, settle

SETTINGS = AlpacaSettings(credentials_secret_ref=SecretReference(name="alpaca"))


def test_credentials_are_those_of_the_files_at_this_moment(tmp_path: Path) -> None:
    mounted = CredentialsReader(SETTINGS, mount(tmp_path, "key", "one"), None)
    assert mounted.read_and_remember_credentials().secret_key == "one"
    mount(tmp_path, "key", "two")
    assert mounted.read_and_remember_credentials().secret_key == "two"
    assert "two" not in repr(mounted.read_and_remember_credentials())


def message_of(directory: Path) -> str:
    with pytest.raises(StreamError) as failure:
        CredentialsReader(SETTINGS, directory, None).read_and_remember_credentials()
    assert failure.value.kind == "configuration"
    return failure.value.message


@pytest.mark.parametrize("missing", ["ALPACA_KEY_ID", "ALPACA_SECRET_KEY"])
def test_the_error_names_the_missing_key_and_has_the_command_that_adds_it(tmp_path: Path, missing: str) -> None:
    (mount(tmp_path, "key", "secret") / missing).unlink()
    message = message_of(tmp_path)
    assert message.startswith(f"the Secret alpaca lacks the key {missing}; add it")
    assert f"""kubectl patch secret alpaca -p '{{"stringData":{{"{missing}":"…"}}}}'""" in message


@pytest.mark.parametrize("empty", ["ALPACA_KEY_ID", "ALPACA_SECRET_KEY"])
def test_the_error_names_the_key_without_a_value(tmp_path: Path, empty: str) -> None:
    (mount(tmp_path, "key", "secret") / empty).write_text(" \n")
    assert message_of(tmp_path).startswith(f"the Secret alpaca has no value under the key {empty}; add it")


def test_the_error_about_a_missing_secret_has_the_command_that_creates_it(tmp_path: Path) -> None:
    message = message_of(tmp_path)
    assert message.startswith("the Secret alpaca is missing, or has neither ALPACA_KEY_ID nor ALPACA_SECRET_KEY; ")
    assert "kubectl create secret generic alpaca --from-literal=ALPACA_KEY_ID=…" in message


@pytest.mark.parametrize("name", ["ALPACA_KEY_ID", "ALPACA_SECRET_KEY"])
@pytest.mark.parametrize("value", ['"top-secret"', "'top-secret'", "top-secret # mine"])
def test_quotation_marks_and_comments_of_an_env_file_are_reported(tmp_path: Path, name: str, value: str) -> None:
    (mount(tmp_path, "key", "secret") / name).write_text(value)
    message = message_of(tmp_path)
    assert message.startswith(f"in the Secret alpaca, {name} has ")
    assert "top-secret" not in message


def test_quotation_marks_in_a_new_pair_do_not_stop_the_use_of_the_accepted_one(tmp_path: Path) -> None:
    mounted = CredentialsReader(SETTINGS, mount(tmp_path, "key", "one"), None)
    mounted.history.record_accepted(mounted.read_and_remember_credentials())
    mount(tmp_path, "key", '"two"')
    mounted.history.record_refused(Credentials("key", '"two"'), "refused")
    assert mounted.read_and_remember_credentials() == Credentials("key", "one")


async def test_a_change_is_seen_within_a_second_and_only_once(tmp_path: Path) -> None:
    mounted = CredentialsReader(SETTINGS, mount(tmp_path, "key", "one"), None)
    mounted.read_and_remember_credentials()
    waiting = asyncio.create_task(mounted.wait_for_change())
    await asyncio.sleep(30.5)
    mount(tmp_path, "key", "two")
    await waiting
    assert seconds() == 31.0
    mounted.read_and_remember_credentials()
    waiting = asyncio.create_task(mounted.wait_for_change())
    await asyncio.sleep(60)
    assert not waiting.done()
    waiting.cancel()
    await settle()


def test_a_refused_pair_is_replaced_by_the_accepted_one_for_rest_requests_too(tmp_path: Path) -> None:
    mounted = CredentialsReader(SETTINGS, mount(tmp_path, "key", "one"), None)
    first = mounted.read_and_remember_credentials()
    mounted.history.record_accepted(first)
    second = Credentials("key", "two")
    mount(tmp_path, "key", "two")
    mounted.history.record_refused(second, "refused")
    assert mounted.read_credentials_or_none() == mounted.read_and_remember_credentials() == first
    assert mounted.read_mounted_pair() == second
    mount(tmp_path, "key", "three")
    assert mounted.read_credentials_or_none() == Credentials("key", "three")


def test_without_an_accepted_pair_the_mounted_one_is_used_although_it_was_refused(tmp_path: Path) -> None:
    mounted = CredentialsReader(SETTINGS, mount(tmp_path, "key", "one"), None)
    mounted.history.record_accepted(Credentials("key", "zero"))
    mounted.history.record_refused(Credentials("key", "one"), "refused")
    mounted.history.forget_accepted()
    assert mounted.read_and_remember_credentials() == Credentials("key", "one")
    assert mounted.history.problem is None


def test_each_accepted_pair_is_counted_also_one_that_returns() -> None:
    history = KeyPairHistory()
    for secret in ("one", "one", "two", "one"):
        history.record_accepted(Credentials("key", secret))
    assert history.generation == 3


def test_a_pair_never_shows_its_secret() -> None:
    assert "very-secret" not in f"{Credentials('key', 'very-secret')!r} {Credentials('key', 'very-secret')}"


async def test_a_secret_that_is_being_deleted_is_not_a_change(tmp_path: Path) -> None:
    mounted = CredentialsReader(SETTINGS, mount(tmp_path, "key", "one"), None)
    mounted.read_and_remember_credentials()
    (tmp_path / "ALPACA_KEY_ID").unlink()
    waiting = asyncio.create_task(mounted.wait_for_change())
    await asyncio.sleep(10)
    assert not waiting.done()
    waiting.cancel()
    await settle()


def test_invalid_certificates_are_reported(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("no certificate")
    with pytest.raises(StreamError, match="caConfigMapRef"):
        CredentialsReader(SETTINGS, tmp_path, tmp_path / "ca.crt").tls_context()
    assert CredentialsReader(SETTINGS, tmp_path, None).tls_context() is None


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("ending", ["", "\n", "\r\n"], ids=["no ending", "LF", "CRLF"])
def test_keys_are_the_same_in_every_encoding(tmp_path: Path, encode: Encode, ending: str) -> None:
    (tmp_path / "ALPACA_KEY_ID").write_bytes(encode("key" + ending))
    (tmp_path / "ALPACA_SECRET_KEY").write_bytes(encode("secret" + ending))
    found = CredentialsReader(SETTINGS, tmp_path, None).read_and_remember_credentials()
    assert (found.key_id, found.secret_key) == ("key", "secret")


@pytest.mark.parametrize(("name", "content"), UNREADABLE.items(), ids=UNREADABLE)
@pytest.mark.parametrize("key", ["ALPACA_KEY_ID", "ALPACA_SECRET_KEY"])
async def test_the_error_of_a_key_in_another_encoding_names_it_and_replacing_the_key_helps(
    tmp_path: Path, key: str, name: str, content: bytes
) -> None:
    mounted = CredentialsReader(SETTINGS, mount(tmp_path, "key", "secret"), None)
    (tmp_path / key).write_bytes(content)
    with pytest.raises(StreamError, match=f"the key {key} of the Secret alpaca cannot be read: it") as failure:
        mounted.read_and_remember_credentials()
    assert failure.value.kind == "configuration"
    assert name in failure.value.message
    waiting = asyncio.create_task(mounted.wait_for_change())
    await asyncio.sleep(10)
    assert not waiting.done()
    mount(tmp_path, "key", "secret")
    await waiting


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
def test_certificates_are_trusted_in_every_encoding(tmp_path: Path, encode: Encode) -> None:
    pem = self_signed(tmp_path)[0].read_text()
    (tmp_path / "ca.crt").write_bytes(encode(f"# \u00e9lan\n{pem}".replace("\n", "\r\n")))
    mounted = CredentialsReader(SETTINGS, tmp_path, tmp_path / "ca.crt")
    context, copy = mounted.tls_context(), mounted.copy_certificates_to_memory()
    assert context is not None
    assert copy is not None
    as_requests_does = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    as_requests_does.load_verify_locations(copy)
    assert [each.cert_store_stats()["x509"] for each in (context, as_requests_does)] == [1, 1]


@pytest.mark.parametrize("content", [b"", *UNREADABLE.values()])
def test_unreadable_certificates_are_never_replaced_by_the_default_ones(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ca.crt").write_bytes(content)
    mounted = CredentialsReader(SETTINGS, tmp_path, tmp_path / "ca.crt")
    for read in (mounted.tls_context, mounted.copy_certificates_to_memory):
        with pytest.raises(StreamError, match=r"caConfigMapRef has no certificates under ca\.crt: it"):
            read()
