import socket
from pathlib import Path

import pytest

from sluice_relay.listening import Address, ListeningError, create_listener, create_tls_context


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("10.0.0.7", False),
        ("relay", False),
    ],
)
def test_only_loopback_needs_no_option_for_plain_ws(host: str, is_loopback: bool) -> None:
    assert Address(host, 0).is_loopback == is_loopback
    if is_loopback:
        assert create_tls_context(Address(host, 0)) is None
    else:
        with pytest.raises(ListeningError, match="give --tls-cert and --tls-key, or --insecure"):
            create_tls_context(Address(host, 0))
        assert create_tls_context(Address(host, 0, allow_insecure=True)) is None


def test_a_wrong_certificate_is_explained(tmp_path: Path) -> None:
    wrong = tmp_path / "tls.crt"
    wrong.write_text("no certificate")

    for path in (wrong, tmp_path / "missing.crt"):
        with pytest.raises(ListeningError, match="check --tls-cert and --tls-key"):
            create_tls_context(Address("127.0.0.1", 0, certificate=path, key=path))


def test_a_port_in_use_is_explained() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = Address("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(ListeningError, match=f"port {address.port} is in use"):
            create_listener(address)
    with pytest.raises(ListeningError, match="not an address of this machine"):
        create_listener(Address("192.0.2.1", 0))


def test_the_url_has_the_port_that_was_chosen() -> None:
    with create_listener(Address("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert Address("127.0.0.1", 0).url(listener) == f"ws://127.0.0.1:{port}"
        assert Address("::1", 0, certificate=Path("a")).url(listener) == f"wss://[::1]:{port}"
