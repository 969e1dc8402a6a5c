import pytest

from sluice_runtime.providers.alpaca.variables import VARIABLES, missing_key_problem, read_url
from sluice_runtime.settings import SettingsError

KEYS = {"ALPACA_KEY_ID": "k", "ALPACA_SECRET_KEY": "s"}
SECRET = {"credentialsSecretRef": {"name": "environment"}}


def test_the_block_has_the_fields_that_are_set() -> None:
    assert VARIABLES.read_block(KEYS, is_dry_run=False) == SECRET
    given = {**KEYS, "ALPACA_DATA_FEED": "SIP", "ALPACA_STREAM_URL": "wss://a"}
    assert VARIABLES.read_block(given, is_dry_run=False) == {"feed": "sip", "streamURL": "wss://a", **SECRET}


def test_only_a_dry_run_needs_no_key_pair() -> None:
    assert VARIABLES.read_block({}, is_dry_run=True) == {}
    with pytest.raises(SettingsError, match="are not set; set both, or set DRY_RUN=1"):
        VARIABLES.read_block({}, is_dry_run=False)
    with pytest.raises(
        SettingsError, match=r"^ALPACA_SECRET_KEY is not set, .*; set both, or set neither and DRY_RUN=1"
    ):
        VARIABLES.read_block({"ALPACA_API_KEY": "k"}, is_dry_run=True)


def test_a_dry_run_of_a_document_names_no_secret_if_the_environment_has_no_key_pair() -> None:
    block = {"feed": "sip", **SECRET}
    assert VARIABLES.block_for_dry_run(block, KEYS) == block
    assert VARIABLES.block_for_dry_run(block, {}) == {"feed": "sip"}


def test_the_missing_part_of_a_key_pair_is_named() -> None:
    assert missing_key_problem(KEYS) is None
    assert missing_key_problem({}) == "ALPACA_KEY_ID and ALPACA_SECRET_KEY are not set"
    assert missing_key_problem({"APCA_API_SECRET_KEY": "s"}) == (
        "ALPACA_KEY_ID is not set, although APCA_API_SECRET_KEY is"
    )


def test_a_url_needs_a_scheme() -> None:
    assert read_url({}, "APCA_API_DATA_URL") is None
    assert read_url({"APCA_API_DATA_URL": " http://a "}, "APCA_API_DATA_URL") == "http://a"
    with pytest.raises(SettingsError, match=r"^APCA_API_DATA_URL is not a server's URL"):
        read_url({"APCA_API_DATA_URL": "data.example"}, "APCA_API_DATA_URL")
