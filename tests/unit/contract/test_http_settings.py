import msgspec
import pytest

from sluice_contract.http_settings import HTTPSettings
from sluice_contract.values import SecretReference


def test_by_default_there_is_no_token_and_the_status_is_not_public() -> None:
    assert msgspec.convert({}, HTTPSettings) == HTTPSettings(token_secret_ref=None, public=False)


def test_a_token_and_public_reads_are_independent() -> None:
    found = msgspec.convert({"tokenSecretRef": {"name": "http"}, "public": True}, HTTPSettings)
    assert found == HTTPSettings(token_secret_ref=SecretReference(name="http"), public=True)


def test_public_is_true_or_false_and_no_word() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"public": "yes"}, HTTPSettings)
