"""A TCP port of this machine that clients temporarily cannot reach. It needs root and iptables."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from support.deadlines import scaled


@contextmanager
def unreachable_port(port: int, spared_address: str) -> Iterator[None]:
    """Drop all IPv4 packets to and from the port, of open connections and new ones, while the context lasts.

    Connections that clients open from `spared_address` work.

    Raises:
        subprocess.CalledProcessError: a rule cannot be set.
    """
    rules = [
        ["--dport", str(port), "!", "--source", spared_address],
        ["--sport", str(port), "!", "--destination", spared_address],
    ]
    inserted: list[list[str]] = []
    try:
        for rule in rules:
            _iptables("--insert", rule)
            inserted.append(rule)
        yield
    finally:
        for rule in inserted:
            _iptables("--delete", rule)


def _iptables(action: str, rule: list[str]) -> None:
    command = ["iptables", "--wait", "10", action, "OUTPUT", "--protocol", "tcp", *rule, "--jump", "DROP"]
    subprocess.run(command, check=True, timeout=scaled(30))
