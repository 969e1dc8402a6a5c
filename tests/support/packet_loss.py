"""Half-open connections: drop the packets of established connections on loopback, in both directions.

This is the effect of a lost conntrack entry or a moved load balancer: neither side receives anything, not even a
reset, while new connections work. It needs root and iptables. Every rule names the two ports of one connection, so it
affects nothing else.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from support.deadlines import Deadline, scaled

_ESTABLISHED: Final = "01"
_TABLES: Final = ("tcp", "tcp6")
# The IPv4 address of a dual-stack socket, as gRPC opens them: its packets are IPv4.
_IPV4_MAPPED: Final = "0000000000000000FFFF0000"


@dataclass(frozen=True)
class Connection:
    """One established TCP connection of a process."""

    local_port: int
    remote_port: int
    program: str  # iptables or ip6tables

    @property
    def directions(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The source and destination port of each direction."""
        return (self.local_port, self.remote_port), (self.remote_port, self.local_port)


def connections(process_id: int, remote_port: int) -> list[Connection]:
    """Return the established connections of a process, without those of its children, to a port."""
    own = _socket_inodes(process_id)
    found = []
    for table in _TABLES:
        for line in Path(f"/proc/{process_id}/net/{table}").read_text().splitlines()[1:]:
            _, local, remote, state, *_, inode = line.split()[:10]
            connection = Connection(_port(local), _port(remote), _program(table, remote))
            if state == _ESTABLISHED and inode in own and connection.remote_port == remote_port:
                found.append(connection)
    return found


@contextmanager
def half_open(process_id: int, remote_port: int) -> Iterator[list[Connection]]:
    """Make the connections of a process to a port half-open while the context lasts; new connections work.

    Raises:
        AssertionError: the process has no such connection, or a rule cannot be set.
    """
    chosen = connections(process_id, remote_port)
    assert chosen, f"process {process_id} has no connection to port {remote_port}"
    assert os.geteuid() == 0, "only root can set packet filter rules: run this test as root"
    rules = [(each.program, direction) for each in chosen for direction in each.directions]
    done: list[tuple[str, tuple[int, int]]] = []
    try:
        for rule in rules:
            _change("--insert", *rule)
            done.append(rule)
        yield chosen
    finally:
        failures = [error for rule in done if (error := _failure("--delete", *rule))]
        assert not failures, failures


def reset_connections(process_id: int, remote_port: int) -> None:
    """Reset each connection of a process to a port when the process sends its next packet on it, and wait for that.

    The other side is not informed.

    Raises:
        AssertionError: the process has no such connection, or a rule cannot be set.
    """
    chosen = connections(process_id, remote_port)
    assert chosen, f"process {process_id} has no connection to port {remote_port}"
    with ExitStack() as stack:
        for each in chosen:
            rule = each.program, (each.local_port, each.remote_port), ("REJECT", "--reject-with", "tcp-reset")
            _change("--insert", *rule)
            stack.callback(_change, "--delete", *rule)
        deadline = Deadline(15)
        while set(chosen) & set(connections(process_id, remote_port)):
            assert not deadline.has_passed, "a connection was not reset"
            time.sleep(0.1)
        deadline.record("reset_connections")


def _socket_inodes(process_id: int) -> set[str]:
    inodes = set()
    for descriptor in Path(f"/proc/{process_id}/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            inodes.add(target.removeprefix("socket:[").removesuffix("]"))
    return inodes


def _program(table: str, remote: str) -> str:
    is_ipv4 = table == "tcp" or remote.startswith(_IPV4_MAPPED)
    return "iptables" if is_ipv4 else "ip6tables"


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)


def _change(action: str, program: str, direction: tuple[int, int], target: tuple[str, ...] = ("DROP",)) -> None:
    failure = _failure(action, program, direction, target)
    assert not failure, failure


def _failure(action: str, program: str, direction: tuple[int, int], target: tuple[str, ...] = ("DROP",)) -> str:
    source, destination = direction
    # In the OUTPUT chain, a dropped packet would be reported to the sender as an error.
    match = ["--in-interface", "lo", "--protocol", "tcp", "--sport", str(source), "--dport", str(destination)]
    command = [program, "--wait", "10", action, "INPUT", *match, "--jump", *target]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=scaled(30), check=False)
    except FileNotFoundError:
        return f"{program} is not installed: on Debian, apt-get install iptables"
    return f"{' '.join(command)}: {done.stderr.strip()}" if done.returncode else ""
