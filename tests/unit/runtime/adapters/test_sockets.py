import socket

from sluice_runtime.adapters.sockets import create_nonblocking_socket

ADDRESS = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", 443))


def test_an_unresponsive_peer_is_detected_nine_seconds_after_the_last_packet() -> None:
    with create_nonblocking_socket(ADDRESS) as made:
        idle, interval, count, unacknowledged = (
            made.getsockopt(socket.IPPROTO_TCP, option)
            for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
        )
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert idle + interval * count == 9
    assert unacknowledged == 9000


def test_it_does_not_block_the_loop() -> None:
    with create_nonblocking_socket(ADDRESS) as made:
        assert made.gettimeout() == 0.0
