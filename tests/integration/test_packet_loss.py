"""The helper that makes connections half-open, on two sockets of this process."""

from __future__ import annotations

import os
import socket

import pytest

from support.packet_loss import connections, half_open, reset_connections


def test_a_half_open_connection_is_silent_and_a_new_one_works() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        with socket.create_connection(address) as old, listener.accept()[0] as served:
            served.settimeout(0.5)
            with half_open(os.getpid(), address[1]) as found:
                assert [each.local_port for each in found] == [old.getsockname()[1]]
                old.sendall(b"lost")
                with pytest.raises(TimeoutError):
                    served.recv(4)
                with socket.create_connection(address) as new, listener.accept()[0] as newly_served:
                    new.sendall(b"heard")
                    assert newly_served.recv(5) == b"heard"
            served.settimeout(10)
            assert served.recv(4) == b"lost"


def test_ipv4_packets_of_a_socket_of_both_families_are_dropped() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.socket(socket.AF_INET6) as client,
    ):
        client.connect(("::ffff:127.0.0.1", listener.getsockname()[1]))  # as gRPC connects
        with listener.accept()[0] as served, half_open(os.getpid(), listener.getsockname()[1]):
            served.settimeout(0.5)
            client.sendall(b"lost")
            with pytest.raises(TimeoutError):
                served.recv(4)


def test_a_process_without_such_a_connection_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert connections(os.getpid(), port) == []
        with pytest.raises(AssertionError, match=f"no connection to port {port}"), half_open(os.getpid(), port):
            pass


def test_a_reset_connection_fails_and_a_new_one_works() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        with socket.create_connection(address) as old, listener.accept()[0]:
            old.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            old.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
            reset_connections(os.getpid(), address[1])
            with pytest.raises(ConnectionResetError):
                old.recv(1)
            with socket.create_connection(address) as new, listener.accept()[0] as newly_served:
                new.sendall(b"heard")
                assert newly_served.recv(5) == b"heard"
