"""The checks of `sluice-runtime first-contact`, against the simulator and the emulator in place of the real services.

Also looked for: a secret in a message, a document that stays, a result that counts the emulator as Google's service.
"""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import msgspec
import pytest

from sluice_contract.spec import FirestoreSettings
from sluice_devcluster.emulator_documents import PROJECT, read_collection
from sluice_runtime.first_contact import FirstContact, check_firestore, check_test_stream, first_contact_settings
from sluice_simulators.alpaca import BASIC, Account, AlpacaServer
from sluice_simulators.alpaca.accounts import Plan
from sluice_simulators.alpaca.feeds import TapeFeed
from sluice_simulators.tapes import TapeQuote
from support.firestore import VARIABLE
from support.firestore_proxy import Fault, FirestoreProxy
from support.standalone import Machine

SECRET = "very-secret"
ROOT = Path(__file__).resolve().parents[2]
KEYS = {"ALPACA_KEY_ID": "key", "ALPACA_SECRET_KEY": SECRET}
TAPE = [TapeQuote(1_000 * n, "FAKEPACA", 133.0 + n, 4, 135.0 + n, 5) for n in range(1, 4)]
FEED = TapeFeed(TAPE, at_end="stay", restamp=True)


@pytest.fixture
async def server() -> AsyncIterator[AlpacaServer]:
    """Start a server with a test stream that sends three quotes of FAKEPACA to each client."""
    async with AlpacaServer([Account("key", SECRET, BASIC)], FEED) as running:
        yield running


@pytest.fixture
def settings(server: AlpacaServer) -> FirstContact:
    return FirstContact(
        environment=KEYS,
        tenant=f"contact-{uuid.uuid4().hex[:8]}",
        firestore=FirestoreSettings(project_id=PROJECT),
        stream_url=server.url("test"),
        quote_seconds=20.0,
    )


async def failure_of_stream(settings: FirstContact) -> str:
    found, quote = await check_test_stream(settings)
    assert (found.good, quote) == (False, None)
    assert SECRET not in found.words
    return found.words


async def failure_of_firestore(settings: FirstContact) -> str:
    found = await check_firestore(settings, None)
    assert not found.good
    return found.words


def documents(emulator: str, settings: FirstContact) -> list[object]:
    return [*read_collection(emulator, f"tenants/{settings.tenant}/first_contact")]


async def test_a_quote_of_the_test_stream_passes_and_is_returned(settings: FirstContact) -> None:
    found, quote = await check_test_stream(settings)
    assert found.good
    assert "a quote of FAKEPACA arrived" in found.words
    assert quote is not None
    assert (quote.symbol, quote.bid) == ("FAKEPACA", 134.0)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"environment": {**KEYS, "ALPACA_SECRET_KEY": "another-secret"}}, "check the key pair"),
        (
            {"environment": {"ALPACA_KEY_ID": "key"}},
            "ALPACA_SECRET_KEY is not set; use the key pair of an Alpaca account",
        ),
        ({"environment": {}}, "ALPACA_KEY_ID and ALPACA_SECRET_KEY are not set; use the key pair"),
        (
            {"stream_url": "ws://127.0.0.1:9/v2/test"},
            "; check the network, the firewall and the variables of the proxy",
        ),
    ],
)
async def test_each_failure_of_the_stream_says_what_to_do(
    settings: FirstContact, change: dict[str, Any], part: str
) -> None:
    assert part in await failure_of_stream(msgspec.structs.replace(settings, **change))


async def test_a_stream_without_a_quote_is_a_failure(settings: FirstContact) -> None:
    async with AlpacaServer([Account("key", SECRET, BASIC)]) as silent:
        changed = msgspec.structs.replace(settings, stream_url=silent.url("test"), quote_seconds=0.5)
        words = await failure_of_stream(changed)
    assert words == (
        "the login succeeded, but no quote of FAKEPACA arrived within 0.5 s; try again later, and see Alpaca's status "
        "page"
    )


async def test_a_key_that_is_in_use_elsewhere_is_a_failure(settings: FirstContact) -> None:
    plan = Plan(connections=0)
    async with AlpacaServer([Account("key", SECRET, plan)], FEED) as busy:
        words = await failure_of_stream(msgspec.structs.replace(settings, stream_url=busy.url("test")))
    assert "another client uses it" in words


@pytest.mark.parametrize("has_quote", [True, False])
async def test_a_document_is_written_read_and_deleted(
    settings: FirstContact, emulator: str, monkeypatch: pytest.MonkeyPatch, has_quote: bool
) -> None:
    quote = (await check_test_stream(settings))[1] if has_quote else None
    proxy = FirestoreProxy(emulator, time.monotonic)
    async with proxy.listening() as address:
        monkeypatch.setenv(VARIABLE, address)
        found = await check_firestore(settings, quote)
    assert found.good, found
    assert found.words.startswith(f"tenants/{settings.tenant}/first_contact/FAKEPACA in projects/{PROJECT}/databases/")
    assert "not Google's service" in found.words
    assert proxy.count("Commit") == 2
    assert documents(emulator, settings) == []


REFUSALS = {
    "grant the role roles/datastore.user": Fault(
        "Commit", grpc.StatusCode.PERMISSION_DENIED, "Missing or insufficient permissions."
    ),
    "create the database": Fault("Commit", grpc.StatusCode.NOT_FOUND, "The database (default) does not exist"),
    "a quota is exhausted": Fault("Commit", grpc.StatusCode.RESOURCE_EXHAUSTED, "Quota exceeded."),
    "check the network and the project's name": Fault("Commit", grpc.StatusCode.UNAVAILABLE, "try later"),
}


@pytest.mark.parametrize("part", REFUSALS)
async def test_each_refusal_of_firestore_says_what_to_do(
    settings: FirstContact, emulator: str, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    proxy = FirestoreProxy(emulator, time.monotonic)
    proxy.faults = [REFUSALS[part]]
    async with proxy.listening() as address:
        monkeypatch.setenv(VARIABLE, address)
        assert part in await failure_of_firestore(settings)


async def test_a_first_request_that_fails_is_repeated(
    settings: FirstContact, emulator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = FirestoreProxy(emulator, time.monotonic)
    proxy.faults = [Fault("BatchGetDocuments", grpc.StatusCode.UNAVAILABLE, "not yet", times=1)]
    async with proxy.listening() as address:
        monkeypatch.setenv(VARIABLE, address)
        assert (await check_firestore(settings, None)).good


async def test_an_account_that_may_write_but_not_delete_is_reported_with_the_document(
    settings: FirstContact, emulator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"projects/{PROJECT}/databases/(default)/documents/tenants/{settings.tenant}/first_contact/FAKEPACA".encode()
    deletion = bytes([0x12, len(name)]) + name  # google.firestore.v1.Write, field 2
    proxy = FirestoreProxy(emulator, time.monotonic)
    proxy.faults = [
        Fault("Commit", grpc.StatusCode.PERMISSION_DENIED, "Missing or insufficient permissions.", containing=deletion)
    ]
    async with proxy.listening() as address:
        monkeypatch.setenv(VARIABLE, address)
        found = await check_firestore(settings, None)
    assert not found.good
    assert f"{settings.tenant}/first_contact/FAKEPACA" in found.words
    assert "was written, but not deleted" in found.words
    assert found.words.endswith("; delete it")


async def test_without_a_project_or_an_identity_the_failure_says_what_to_set(
    settings: FirstContact, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))
    changed = msgspec.structs.replace(settings, firestore=FirestoreSettings())
    assert (await failure_of_firestore(changed)).endswith("; set FIRESTORE_PROJECT_ID, and see the check identity")
    assert (await failure_of_firestore(settings)).endswith("; see the check identity")


def test_the_variables_are_those_of_the_runtime() -> None:
    found = first_contact_settings(
        {
            "FIRESTORE_TENANT_ID": "acme",
            "APCA_API_KEY_ID": "key",
            "APCA_API_SECRET_KEY": SECRET,
            "FIREBASE_PROJECT_ID": "p-1",
        }
    )
    assert (found.tenant, found.environment["APCA_API_KEY_ID"]) == ("acme", "key")
    assert found.firestore.project_id == "p-1"
    assert first_contact_settings({}).tenant == "first-contact"


def test_no_test_run_and_no_ci_runs_the_command() -> None:
    makefile = (ROOT / "Makefile").read_text()
    [recipe] = re.findall(r"^first-contact: .*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert "sluice-runtime first-contact" in recipe
    assert re.findall(r"^[a-z-]+:.*first-contact", makefile.replace("first-contact: setup", ""), re.MULTILINE) == []
    assert "first-contact" not in (ROOT / ".ci/run").read_text()


@pytest.fixture
def machine(tmp_path: Path, emulator: str, settings: FirstContact) -> Machine:
    made = Machine(tmp_path, emulator, settings.tenant)
    made.declare()
    made.environment.update({**KEYS, "FIRESTORE_PROJECT_ID": PROJECT})
    return made


async def test_the_command_prints_each_result_and_exits_with_0_or_1(machine: Machine, settings: FirstContact) -> None:
    url = ("--stream-url", settings.stream_url or "")
    code, output = await asyncio.to_thread(machine.call, "first-contact", "stream", "firestore", *url)
    assert [line.partition(":")[0] for line in output.splitlines()] == ["PASS stream", "PASS firestore", "PASS"]
    assert code == 0
    machine.environment["ALPACA_SECRET_KEY"] = "another-secret"
    code, output = await asyncio.to_thread(
        machine.call, "first-contact", "-f", str(machine.document), *url, "--seconds", "5"
    )
    assert [line.partition(":")[0] for line in output.splitlines()] == [
        "FAIL stream",
        "FAIL identity",
        "PASS firestore",
        "FAIL",
    ]
    assert code == 1
    assert "another-secret" not in output
    assert f"tenants/{settings.tenant}/" in output
    assert await asyncio.to_thread(machine.complaint, "first-contact", "nonsense") == (
        2,
        "sluice-runtime: nonsense is not a check; use stream, identity, firestore\n",
    )
