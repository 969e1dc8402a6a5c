"""Starts what the table of `status` reads before anything else is imported, so that kubectl works meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

from .process import SpawnedProcess

# A test compares the paths with those of the contract, whose data takes 5 ms to read.
GROUP_PATH, JOBS = "/apis/sluice.dev/v1alpha1", "ingestjobs"
LEASE_PATH = "/apis/coordination.k8s.io/v1/namespaces/sluice-system/leases/sluice-operator"

_EVERYWHERE = ("-A", "--all-namespaces")
_NAMESPACE = ("-n", "--namespace")
_WITHOUT_EFFECT = ("--check", "--stale")  # on what is read
_CONNECTION = ("--context=", "--kubeconfig=", "--as=", "--request-timeout=")
_PLAIN_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


class EarlyProcesses:
    """Processes that read the jobs and the Lease, and the options of kubectl for which they are the right ones."""

    def __init__(self, connection: list[str], scope: list[str]) -> None:
        """Start them. Raises OSError if kubectl cannot be started."""
        self.connection = connection
        self.scope = scope
        namespace = f"/namespaces/{scope[1]}" if scope[0] == "-n" else ""
        command = ["kubectl", *connection, "get", "--raw"]
        self.jobs = SpawnedProcess([*command, f"{GROUP_PATH}{namespace}/{JOBS}"])
        self.lease = SpawnedProcess([*command, LEASE_PATH])

    def discard(self) -> None:
        """End the processes that nothing has waited for."""
        self.jobs.discard()
        self.lease.discard()


def start_early(words: Sequence[str]) -> EarlyProcesses | None:
    """Start the processes. Return None for another command, and for words that are not so simple.

    The parser of the command line decides afterwards whether the processes read what it asks for.
    """
    found = _simple_options(words[1:]) if words[:1] == ["status"] else None
    if found is None:
        return None
    try:
        return EarlyProcesses(*found)
    except OSError:  # the command tries again, and says why it cannot
        return None


def _simple_options(words: Sequence[str]) -> tuple[list[str], list[str]] | None:
    """Return the options of kubectl for the connection and for the namespaces; None if the words are not simple."""
    is_everywhere, namespace, connection = False, "", []
    rest = iter(words)
    for word in rest:
        if word in _EVERYWHERE:
            is_everywhere = True
        elif word in _NAMESPACE:
            namespace = next(rest, "")
        elif word.startswith(_CONNECTION):
            connection.append(word)
        elif word not in _WITHOUT_EFFECT:
            return None
    if not (is_everywhere or namespace) or not _PLAIN_NAME.issuperset(namespace):
        return None
    return connection, ["-n", namespace] if namespace else ["-A"]
