"""The phases of a connection in which a pause may come, and how the Alpaca simulator holds a pod in each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sluice_simulators.alpaca.faults import Fault
from sluice_simulators.alpaca.handshake_faults import AckMissing, AuthSilence, HttpError, NoWelcome


@dataclass(frozen=True)
class Phase:
    """`faults` hold the next connection in the phase; `entry` is the list in the server's record that grows in it."""

    faults: tuple[Fault, ...]
    entry: str
    has_socket: bool = True

    def entries(self, record: dict[str, Any]) -> int:
        """Return how often the phase was reached."""
        return len(record[self.entry])


# The phases, by the stream state of the pod.
PHASES = {
    "Connecting": Phase((NoWelcome(),), "connections"),
    "Authenticating": Phase((AuthSilence(),), "auths"),
    "Subscribing": Phase((AckMissing(),), "subscriptions"),
    "Live": Phase((), "subscriptions"),
    "BackingOff": Phase((HttpError(status=429, retry_after=60),), "refused_upgrades", has_socket=False),
}


def attempts(record: dict[str, Any]) -> int:
    """Return how many connections were requested, with those that the server refused."""
    return len(record["connections"]) + len(record["refused_upgrades"])
