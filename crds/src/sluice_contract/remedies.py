"""What to do about each type of failure, in one sentence for people."""

from __future__ import annotations

from typing import Final

from .providers import CERTIFICATES_FIELDS
from .status import FailureType

CLOCK_SKEW_REPORTED_MILLISECONDS: Final = 2000
SINK_FAILURE: Final = "sink"  # writes to Firestore fail; all other types are failures of the stream

REMEDIES: Final[dict[FailureType, str]] = {
    "auth": "Correct the credentials in the Secret of the job; the stream then connects by itself.",
    "entitlement": "Choose a feed that the account may use, or book the feed with the provider.",
    "connectionLimit": "Close the other connection with the same key or client ID; the stream then connects.",
    "symbolLimit": "Remove symbols from the job, or book a plan that allows more symbols.",
    "slowClient": "The stream reconnects by itself; if this repeats, give the pod more CPU or remove symbols.",
    "network": "The stream reconnects by itself; if this continues, check the network and the provider's host.",
    "stall": "The stream reconnects by itself; if this repeats, check the provider's status page.",
    "upstreamClosed": "The stream reconnects by itself; if this repeats, check the provider's status page.",
    "configuration": "Correct the field of the job that the message names.",
    "certificate": f"Name the server's certificate authority in {' or '.join(CERTIFICATES_FIELDS)}.",
    "documentConflict": "Stop the other job, or give each job its own spec.heartbeat.document and its own symbols.",
    "policyDenied": "Change the value that the message names, or ask the administrator of the platform to allow it.",
}
# Where a runtime without a cluster needs another remedy.
_STANDALONE_REMEDIES: Final = {
    "auth": "Correct the credentials in the environment, then restart the runtime.",
    "slowClient": "The stream reconnects by itself; if this repeats, give the runtime more CPU or remove symbols.",
    "certificate": "Name a file with the server's certificate authority in SSL_CERT_FILE, then restart the runtime.",
}
_SINK_REMEDY: Final = "Check the permissions, the quota and the network for Firestore; writes are retried."
_UNKNOWN_REMEDY: Final = "Read the message and the log of the runtime."


def clock_skew_sentence(milliseconds: int) -> str:
    """Return a sentence about a node's clock that is ahead of the provider's by this much; negative if behind."""
    size = abs(milliseconds) / 1000
    seconds = f"{size:.0f}" if size >= 10 else f"{size:.1f}".removesuffix(".0")
    direction = "ahead of" if milliseconds > 0 else "behind"
    return f"The node's clock is {seconds} s {direction} the provider's: run NTP (such as chrony) on the node."


def remedy_of_failure(kind: str, *, is_standalone: bool = False) -> str:
    """Return a sentence that says what to do about a failure of this type. Other versions may write other types.

    With `is_standalone`, the sentence has no terms of Kubernetes.
    """
    if kind == SINK_FAILURE:
        return _SINK_REMEDY
    if is_standalone and kind in _STANDALONE_REMEDIES:
        return _STANDALONE_REMEDIES[kind]
    return {str(each): remedy for each, remedy in REMEDIES.items()}.get(kind, _UNKNOWN_REMEDY)
