"""manifests/firestore/firestore.rules, loaded into the emulator: who may do what with which document."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import chain
from pathlib import Path

import pytest

from support.firestore import load_rules
from support.rules_client import OWNER, PROJECT, RulesClient, unsigned_token

RULES = Path(__file__).parents[2] / "manifests/firestore/firestore.rules"
ALLOWED, DENIED = 200, 403
OPERATIONS = ("get", "list", "create", "update", "delete")

MEMBER = "a member"
TOKENS = {
    "signed out": None,
    "without claim and membership": unsigned_token("stranger"),
    "claim without membership": unsigned_token("claimant", tenant_id="acme"),
    "membership without claim": unsigned_token("unclaimed"),
    "membership with the claim of another tenant": unsigned_token("mismatched", tenant_id="beta"),
    MEMBER: unsigned_token("member", tenant_id="acme"),
}
MEMBERSHIPS = ("tenants/acme/users/unclaimed", "tenants/acme/users/mismatched", "tenants/beta/users/mismatched")

# What a member of acme may do with each document; all other identities may do nothing with it.
READ = ("get", "list")
DOCUMENTS: dict[str, tuple[str, ...]] = {
    "tenants/acme/live_quotes/SPY": READ,
    "tenants/acme/live_bars/SPY": READ,
    "tenants/acme/ops/market_ingest": READ,
    "tenants/acme/ingest_state/BTC-USD": READ,
    "tenants/acme/ingest_gaps/20261127T150405.000006Z_acme_us": READ,
    "tenants/acme/users/member": ("get",),
    "tenants/acme/users/another": (),
    "tenants/acme": (),
    "tenants/acme/unknown/document": (),
    "tenants/acme/live_quotes/SPY/nested/document": (),
    "tenants/gamma/live_quotes/SPY": (),
    "live_quotes/SPY": (),
}


@pytest.fixture(scope="module")
def client(emulator: str) -> Iterator[RulesClient]:
    """A client of the module's emulator, in a project that has the rules; all documents exist."""
    load_rules(emulator, PROJECT, RULES)
    found = RulesClient(emulator)
    for document in (*DOCUMENTS, *MEMBERSHIPS):
        assert found.update(OWNER, document) == ALLOWED
    yield found
    found.close()


@pytest.fixture(scope="module")
def statuses(client: RulesClient, emulator: str) -> dict[tuple[str, str], dict[str, int]]:
    """The status of each operation, by identity and document. Each identity has a connection and a thread."""

    def attempt_all(identity: str) -> dict[tuple[str, str], dict[str, int]]:
        with closing(RulesClient(emulator)) as mine:
            return {
                (identity, document): {each: getattr(mine, each)(TOKENS[identity], document) for each in OPERATIONS}
                for document in DOCUMENTS
            }

    with ThreadPoolExecutor(len(TOKENS)) as threads:
        return dict(chain.from_iterable(found.items() for found in threads.map(attempt_all, TOKENS)))


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("identity", TOKENS)
def test_only_a_member_with_the_claim_reads_and_no_client_writes(
    statuses: dict[tuple[str, str], dict[str, int]], identity: str, document: str
) -> None:
    allowed = DOCUMENTS[document] if identity == MEMBER else ()
    assert statuses[identity, document] == {each: ALLOWED if each in allowed else DENIED for each in OPERATIONS}


@pytest.mark.parametrize("identity", TOKENS)
def test_no_client_reads_the_quotes_of_all_tenants(client: RulesClient, identity: str) -> None:
    assert client.query_group(TOKENS[identity], "live_quotes") == DENIED


def test_a_server_identity_bypasses_the_rules(client: RulesClient) -> None:
    assert client.query_group(OWNER, "live_quotes") == ALLOWED
    assert client.update(OWNER, "tenants/acme/live_quotes/AAPL") == ALLOWED
    assert client.delete(OWNER, "tenants/acme/live_quotes/AAPL") == ALLOWED


def test_a_removed_member_reads_nothing_more(client: RulesClient) -> None:
    token = unsigned_token("leaving", tenant_id="acme")
    assert client.update(OWNER, "tenants/acme/users/leaving") == ALLOWED
    assert client.get(token, "tenants/acme/live_quotes/SPY") == ALLOWED
    assert client.delete(OWNER, "tenants/acme/users/leaving") == ALLOWED
    assert client.get(token, "tenants/acme/live_quotes/SPY") == DENIED


def test_a_document_that_does_not_exist_is_not_found_rather_than_denied(client: RulesClient) -> None:
    assert client.get(TOKENS[MEMBER], "tenants/acme/ops/unwritten") == 404
