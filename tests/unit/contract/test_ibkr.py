import msgspec
import pytest

from sluice_contract.ibkr import IBKRSettings


def test_a_host_is_all_that_it_needs() -> None:
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
def test_what_is_out_of_bounds_is_refused(block: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(block, IBKRSettings)
