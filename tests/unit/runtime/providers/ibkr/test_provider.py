from typing import Any

import pytest

from sluice_runtime.providers.ibkr.provider import PROVIDER
from sluice_runtime.providers.ibkr.source import IBKRSource
from sluice_runtime.settings import SettingsError
from support.provider_settings import settings_of
from support.runtime_fakes import job_spec


def test_a_job_has_the_source_and_no_other_client() -> None:
    clients = PROVIDER.create_clients(settings_of(provider="ibkr", ibkr={"host": "gateway"}), {})
    assert isinstance(clients.source, IBKRSource)
    assert (clients.snapshots, clients.history, clients.trading_days) == (None, None, None)
    assert PROVIDER.create_preflight is None


def test_a_job_without_a_gateway_is_reported() -> None:
    with pytest.raises(SettingsError, match=r"spec\.ibkr is missing"):
        PROVIDER.create_clients(settings_of(provider="ibkr"), {})


def test_each_client_of_a_gateway_has_its_own_connection() -> None:
    def key(**ibkr: Any) -> str | None:
        assert PROVIDER.connection_key is not None
        return PROVIDER.connection_key(job_spec(provider="ibkr", ibkr={"host": "gateway", **ibkr}))

    keys = [key(), key(host="other"), key(port=4001), key(clientID=2)]
    assert (len(set(keys)), None in keys) == (4, False)
    assert keys[0] == key(host="Gateway", port=4002, clientID=1) == "ibkr\ngateway\n4002\n1"
