import msgspec
import pytest

from sluice_contract.ibkr import IBKRSettings
from sluice_contract.provider_block import GatewayAddress


def test_only_the_host_is_required() -> None:
    found = msgspec.convert({"host": "ib-gateway.acme.svc"}, IBKRSettings)
    assert (found.host, found.port, found.client_id) == ("ib-gateway.acme.svc", 4002, 1)


@pytest.mark.parametrize("host", ["10.0.0.7", "fd00::7", "::1", "gateway", "a.b-c.example"])
def test_names_and_addresses_are_hosts(host: str) -> None:
    assert msgspec.convert({"host": host}, IBKRSettings).host == host


@pytest.mark.parametrize(
    "block",
    [
        {},
        {"host": ""},
        {"host": "a b"},
        {"host": "-a"},
        {"host": "tcp://a"},
        {"host": "a" * 254},
        {"host": "a", "port": 0},
        {"host": "a", "port": 65_536},
        {"host": "a", "clientID": -1},
    ],
)
def test_values_out_of_bounds_are_rejected(block: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(block, IBKRSettings)


def test_a_job_connects_to_its_gateway() -> None:
    assert IBKRSettings(host="gateway", port=4001).gateway == GatewayAddress("spec.ibkr.host", "gateway", 4001)
