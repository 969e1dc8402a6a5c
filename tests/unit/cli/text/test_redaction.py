import json

import pytest

from sluice_cli.text.redaction import REDACTED, Redactor, is_secret_name, projects_in

KEY_ID = "PK" + "ABCDEFGH12345678XY"
SECRET = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6kM9x"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJvd25lciJ9.c2lnbmF0dXJl"
PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADAN\nhunter2\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"using key {KEY_ID} now", KEY_ID),
        (f"login with {SECRET}", SECRET),
        ("Authorization: Bearer opaque-token", "opaque-token"),
        ("authorization: Basic dXNlcjpodW50ZXIy", "dXNlcjpodW50ZXIy"),
        ("Authorization: Digest user=a, x", "Digest user=a"),
        ('{"authorization": "Custom one two"}', "one two"),
        ('{"password": "two words"}', "two words"),
        ('{\\"api_key\\":\\"abc123\\"}', "abc123"),
        ("ALPACA_SECRET_KEY=hunter2", "hunter2"),
        ("?access_token=hunter2&x=1", "hunter2"),
        ("wss://alice:hunter2@proxy.example:8443/x", "hunter2"),
        ("https://alice:p@ss/word@proxy.example", "p@ss/word"),
        ("http://only-a-token@proxy.example", "only-a-token"),
        (JWT, "eyJzdWIiOiJvd25lciJ9"),
        (f"key:\n{PEM}\nend", "hunter2"),
        (PEM[:60], "MIIEvQIBADAN"),
        ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
        ("ya29.a0AfH6SMB-x", "a0AfH6SMB"),
        ("ghp_0123456789abcdefghij", "0123456789abcdefghij"),
    ],
)
def test_a_secret_is_replaced(text: str, secret: str) -> None:
    found = Redactor().text(text)
    assert secret not in found
    assert REDACTED in found


@pytest.mark.parametrize(
    "text",
    [
        "Blocked SecretIncomplete: the Secret alpaca lacks the key ALPACA_SECRET_KEY",
        "image sluice-runtime@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "uid 0f8fad5b-d9cb-469f-a165-70867728950e epoch 1796029162349",
        "GET https://data.alpaca.markets/v2/stocks/quotes/latest?symbols=SPY answered 404",
        "tenants/acme/live_quotes/BRK.B in projects/demo-sluice/databases/(default)",
        "credentialsSecretRef names a Secret; the token is refused",
    ],
)
def test_other_text_stays(text: str) -> None:
    assert Redactor().text(text) == text


@pytest.mark.parametrize("text", ['{"password": "two words", "a": 1}', '{"a": "{\\"api_key\\":\\"abc\\"}"}'])
def test_json_stays_json(text: str) -> None:
    found = Redactor().text(text)
    assert REDACTED in found
    assert json.loads(found).keys() == json.loads(text).keys()


def test_a_known_value_is_replaced_wherever_it_occurs() -> None:
    assert Redactor(["correct horse", "correct"]).text("said correct horse!") == f"said {REDACTED}!"


def test_projects_are_replaced_by_numbers_if_they_are_named() -> None:
    text = "projects/acme-prod/databases/(default) and acme-prod, not acme-production"
    assert projects_in(text) == {"acme-prod"}
    found = Redactor(projects=projects_in(text)).text(text)
    assert found == "projects/project-1/databases/(default) and project-1, not acme-production"


@pytest.mark.parametrize(("name", "is_secret"), [("token", True), ("http-proxy-password", True), ("secretName", False)])
def test_the_name_of_a_field_says_whether_it_is_secret(name: str, is_secret: bool) -> None:
    assert is_secret_name(name) is is_secret
