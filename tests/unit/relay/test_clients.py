import pytest

from sluice_relay.clients import Client, ClientDirectory, ClientsError, parse_clients
from sluice_relay.protocol.messages import ProtocolError
from support.relay_source import CLIENT

TEXT = """
clients:
- key: strategy-a
  secret: hidden
  tenant: acme
  symbols: 30
  jobs: [us-equities]
"""


def test_the_clients_of_a_document() -> None:
    expected = Client(key="strategy-a", secret="hidden", tenant="acme", symbols=30, jobs=("us-equities",))

    assert parse_clients(TEXT) == {"strategy-a": expected}
    assert "hidden" not in repr(expected)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "write clients:"),
        ("clients: [{key: a}]", "missing required field `secret`"),
        ("clients: [{key: a, secret: s, limit: 3}]", "unknown field `limit`"),
        ("clients: [{key: a, secret: s}, {key: a, secret: t}]", "two clients have the same key"),
        ("clients: [", "it is not YAML"),
    ],
)
def test_a_wrong_document_is_explained_without_its_text(text: str, words: str) -> None:
    with pytest.raises(ClientsError, match=words):
        parse_clients(text)


@pytest.mark.parametrize(("key", "secret"), [("key", "wrong"), ("other", "secret"), ("", ""), ("key", "sécret")])
def test_a_wrong_key_or_secret_is_refused(key: str, secret: str) -> None:
    directory = ClientDirectory({"key": CLIENT})

    assert directory.authenticate("key", "secret") == CLIENT
    with pytest.raises(ProtocolError, match="402"):
        directory.authenticate(key, secret)


def test_without_a_list_every_key_is_accepted() -> None:
    directory = ClientDirectory(None)

    assert directory.authenticate("PK1", "any").key == "PK1"
    assert directory.has_key("PK1")


def test_a_client_whose_entry_has_changed_is_not_current() -> None:
    directory = ClientDirectory({"key": CLIENT})
    directory.replace_clients(parse_clients("clients: [{key: key, secret: other}]"))

    assert not directory.is_current(CLIENT)
    assert directory.has_key("key")
    assert not directory.has_key("gone")
