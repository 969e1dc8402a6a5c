"""The states of the stream and the transitions between them, as data.

The pod reports its state in `status.stream.state`. docs/ingestjob.md has the diagram that is drawn from this table. No
code enforces the table: a test compares it with the transitions that the runtime makes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from .status import StreamState

STREAM_STATES: Final[Mapping[StreamState, str]] = {
    "Stopped": "The process has not begun to stream, or it has shut down.",
    "Paused": "A pause is in effect: no connection is open, and no quote is written.",
    "Connecting": "The pod waits for its documents or its connection slot, or opens the connection.",
    "Authenticating": "The connection is open, and the pod logs in.",
    "Subscribing": "The provider accepts subscriptions, and has not answered the one of the job.",
    "Live": "The provider has answered the subscription, and quotes arrive as the provider sends them.",
    "BackingOff": "The stream failed and is retried, or the provider interrupts the quotes of an open connection.",
    "Blocked": "The stream waits for a fix: of credentials, a field, a policy, or another job with the same documents.",
    "Finished": "The stream has come to its end, as a tape does.",
}

# In these states, the pod has a connection or is about to open one.
ACTIVE_STATES: Final[tuple[StreamState, ...]] = ("Connecting", "Authenticating", "Subscribing", "Live", "BackingOff")


class StreamTransition(msgspec.Struct, frozen=True):
    """What moves the stream from each of the states in `before` to the state `after`.

    `cause` names it in a few words, and `meaning` describes it in a sentence.
    """

    cause: str
    before: tuple[StreamState, ...]
    after: StreamState
    meaning: str


STREAM_TRANSITIONS: Final = (
    StreamTransition("start", ("Stopped", "Paused"), "Connecting", "The job is not paused, or its pause has ended."),
    StreamTransition("open connection", ("Connecting",), "Authenticating", "The provider has accepted the connection."),
    StreamTransition(
        "login",
        ("Connecting", "Authenticating"),
        "Subscribing",
        "The provider has accepted the login. Where the pod does not log in, an open connection is enough.",
    ),
    StreamTransition(
        "acknowledgement",
        ("Connecting", "Subscribing"),
        "Live",
        "The provider has answered the subscription. A provider without a server answers at once.",
    ),
    StreamTransition(
        "end of stream", ("Live",), "Finished", "The provider has no more quotes, for example at the end of a tape."
    ),
    StreamTransition(
        "failure",
        ("Connecting", "Authenticating", "Subscribing", "Live"),
        "BackingOff",
        "The connection cannot be opened, or is lost or closed. The pod waits before the next attempt.",
    ),
    StreamTransition(
        "interruption",
        ("Subscribing", "Live"),
        "BackingOff",
        "The provider reports that it cannot deliver quotes. The connection stays open.",
    ),
    StreamTransition("recovery", ("BackingOff",), "Live", "The interruption ends on the same connection."),
    StreamTransition(
        "retry",
        ("BackingOff", "Blocked"),
        "Connecting",
        "The delay is over, the cause may be fixed, or no other job writes the documents any more.",
    ),
    StreamTransition(
        "new credentials",
        ("Subscribing", "Live", "BackingOff"),
        "Connecting",
        "The credentials or certificates of the open connection were replaced, and the pod connects with the new ones.",
    ),
    StreamTransition(
        "fatal failure",
        ACTIVE_STATES,
        "Blocked",
        "A retry does not help, for example because the provider refuses the credentials.",
    ),
    StreamTransition(
        "document conflict",
        ("Connecting", "Subscribing", "Live", "BackingOff"),
        "Blocked",
        "Another job writes the documents of this job.",
    ),
    StreamTransition(
        "denial",
        ("Stopped", *ACTIVE_STATES, "Paused", "Finished"),
        "Blocked",
        "A policy denies the job: the connection is closed, and the operator stops the pod.",
    ),
    StreamTransition(
        "pause",
        ("Stopped", *ACTIVE_STATES, "Blocked", "Finished"),
        "Paused",
        "A pause takes effect: the connection is closed, and pending quotes are written.",
    ),
    StreamTransition(
        "short pause",
        ("Authenticating", "Subscribing", "Live", "BackingOff", "Blocked", "Finished"),
        "Connecting",
        "A pause ends while the connection is being closed for it, before it takes effect.",
    ),
    StreamTransition(
        "shutdown",
        ACTIVE_STATES,
        "Stopped",
        "The process ends, and its connection is closed. A stream that is Paused, Blocked or Finished keeps its state.",
    ),
)


def _causes_by_pair(
    transitions: Iterable[StreamTransition],
) -> Mapping[tuple[StreamState, StreamState], tuple[str, ...]]:
    causes: defaultdict[tuple[StreamState, StreamState], tuple[str, ...]] = defaultdict(tuple)
    for each in transitions:
        for before in each.before:
            causes[before, each.after] += (each.cause,)
    return dict(causes)


# The causes of each possible transition, by the states before and after it.
TRANSITION_CAUSES: Final = _causes_by_pair(STREAM_TRANSITIONS)
