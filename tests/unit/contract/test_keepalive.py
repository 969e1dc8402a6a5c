"""The sockets of both images detect an unresponsive peer."""

import socket

import pytest

from sluice_contract import keepalive


def test_an_unresponsive_peer_is_detected_9_s_after_its_last_packet() -> None:
    probing = keepalive.IDLE_SECONDS + keepalive.INTERVAL_SECONDS * keepalive.PROBES
    assert probing == keepalive.USER_TIMEOUT_MILLISECONDS / 1000 == 9


def test_a_socket_whose_options_cannot_be_set_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    created: list[socket.socket] = []

    class Socket(socket.socket):
        def setsockopt(self, *_: object) -> None:
            created.append(self)
            raise OSError("not supported")

    monkeypatch.setattr(socket, "socket", Socket)
    with pytest.raises(OSError, match="not supported"):
        keepalive.create_keepalive_socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    [only] = created
    assert only.fileno() == -1
