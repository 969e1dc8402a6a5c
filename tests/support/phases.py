"""The phases of a connection in which a pause may come, and how the protocol server holds a pod in each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sluice_simulators.alpaca.faults import Fault
from sluice_simulators.alpaca.handshake_faults import AckMissing, AuthSilence, HttpError, NoWelcome


@dataclass(frozen=True)
class Phase:
    """`faults` are for the next connection; `entry` is the list of the server's record that grows in the phase."""

    faults: tuple[Fault, ...]
    entry: str
    has_socket: bool = True

    def entries(self, record: dict[str, Any]) -> int:
        """How often the phase was reached."""
        return len(record[self.entry])


# By the state that the pod is in.
PHASES = {
    "Connecting": Phase((NoWelcome(),), "connections"),
    "Authenticating": Phase((AuthSilence(),), "auths"),
    "Subscribing": Phase((AckMissing(),), "subscriptions"),
    "Live": Phase((), "subscriptions"),
    "BackingOff": Phase((HttpError(status=429, retry_after=60),), "refused_upgrades", has_socket=False),
}


def attempts(record: dict[str, Any]) -> int:
    """How often anybody asked for a connection."""
    return len(record["connections"]) + len(record["refused_upgrades"])
