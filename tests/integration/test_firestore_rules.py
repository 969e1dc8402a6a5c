"""manifests/firestore/firestore.rules, loaded into the emulator: who may do what with which document."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.firestore import firestore_emulator_with_rules
from support.rules_client import OWNER, RulesClient, unsigned_token

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
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RulesClient]:
    """A client of an emulator with the rules; all documents exist."""
    with firestore_emulator_with_rules(tmp_path_factory.mktemp("emulator"), RULES) as emulator:
        found = RulesClient(emulator)
        for document in (*DOCUMENTS, *MEMBERSHIPS):
            assert found.update(OWNER, document) == ALLOWED
        yield found
        found.close()


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("identity", TOKENS)
def test_only_a_member_with_the_claim_reads_and_no_client_writes(
    client: RulesClient, identity: str, document: str
) -> None:
    allowed = DOCUMENTS[document] if identity == MEMBER else ()
    found = {each: getattr(client, each)(TOKENS[identity], document) for each in OPERATIONS}
    assert found == {each: ALLOWED if each in allowed else DENIED for each in OPERATIONS}


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
