"""Condition types and reasons, each with its meaning. An Event's reason is the reason of its condition.

Polarity: `Reconciling`, `Stalled` and `Paused` name something to look at and are present only while True, as kstatus
expects of the first two (`Paused` also while a pause that was asked for is not acknowledged). The others are good
when True. `Ready` is always computed from the rest.
"""

from typing import Final

READY: Final = "Ready"  # the declared state is reached: it streams, or is paused as asked, or has finished
PAUSED: Final = "Paused"  # no connection is open and no quote is written, because somebody asked for it
STREAMING: Final = "Streaming"  # subscribed, and the provider acknowledged every symbol that it accepts
CREDENTIALS_VALID: Final = "CredentialsValid"  # the provider accepted the credentials (Unknown until it was asked)
SINK_HEALTHY: Final = "SinkHealthy"  # the last write to Firestore succeeded
CONNECTION_SLOT_ACQUIRED: Final = "ConnectionSlotAcquired"  # the one connection of its credentials is this job's
RECONCILING: Final = "Reconciling"  # on the way to the declared state
STALLED: Final = "Stalled"  # not on the way: somebody has to act, the message says how

ORDER: Final = (
    READY,
    PAUSED,
    STREAMING,
    CREDENTIALS_VALID,
    SINK_HEALTHY,
    CONNECTION_SLOT_ACQUIRED,
    RECONCILING,
    STALLED,
)

# Ready and Streaming
STREAMING_REASON: Final = "Streaming"  # quotes can arrive
PAUSED_REASON: Final = "Paused"  # the pause is acknowledged, or nothing can be connected
PAUSING: Final = "Pausing"  # a pause was asked for and is not yet acknowledged
REPLAY_FINISHED: Final = "ReplayFinished"  # the tape is at its end
CONNECTING: Final = "Connecting"  # between the pod's start and the provider's acknowledgement
APPLYING_SPEC: Final = "ApplyingSpec"  # the pod has not yet applied the newest generation
BACKING_OFF: Final = "BackingOff"  # the connection failed and will be tried again
SYMBOLS_REJECTED: Final = "SymbolsRejected"  # it streams, but the provider refuses some symbols
PROVIDER_DEGRADED: Final = "ProviderDegraded"  # it streams, but the provider says that a part of it is away
HEARTBEAT_STALE: Final = "HeartbeatStale"  # the pod runs but has said nothing for too long
SINK_UNHEALTHY: Final = "SinkUnhealthy"  # it streams, but Firestore does not take the writes

# Paused
NOT_ACKNOWLEDGED: Final = "NotAcknowledged"  # requested more than 10 s ago, and the pod has not confirmed it
STOP_ENFORCED: Final = "StopEnforced"  # an event: the pod did not confirm a stop for 15 s, so the operator deleted it
NOTHING_CONNECTED: Final = "NothingConnected"  # no pod runs, so nothing can be connected

# the pod
POD_CREATING: Final = "PodCreating"  # about to be created
POD_PENDING: Final = "PodPending"  # created, not yet running
POD_STARTING: Final = "PodStarting"  # running, has not reported yet
POD_REPLACING: Final = "PodReplacing"  # a cold field changed: the old pod goes first
POD_RESTARTING: Final = "PodRestarting"  # ended by itself; a new one comes after a back-off
POD_CRASHING: Final = "PodCrashLooping"  # its container ends again and again
POD_UNSTARTABLE: Final = "PodCannotStart"  # image, configuration or scheduling keeps it from starting
NAME_CONFLICT: Final = "NameConflict"  # a pod that is not this job's has this job's pod name
POD_REJECTED: Final = "PodRejected"  # the API server refuses the pod (quota, admission, Pod Security)
DOCUMENT_CONFLICT: Final = "DocumentConflict"  # an earlier job of the tenant writes the same documents: no pod runs

# credentials
ACCEPTED: Final = "Accepted"  # the provider took them
NOT_NEEDED: Final = "NotNeeded"  # this provider has none
NOT_CHECKED: Final = "NotChecked"  # no connection was tried yet
REFUSED: Final = "Refused"  # the provider refuses them
MISSING: Final = "SecretIncomplete"  # the Secret is missing or lacks a key
NOT_ENTITLED: Final = "NotEntitled"  # valid, but not for this feed
CERTIFICATE_NOT_TRUSTED: Final = "CertificateNotTrusted"  # the provider's own, by what the pod trusts

# sink
WRITES_ACCEPTED: Final = "WritesAccepted"
WRITES_FAILING: Final = "WritesFailing"
NO_WRITES_YET: Final = "NoWritesYet"

# the connection slot
SLOT_ACQUIRED: Final = "Acquired"  # this job has it
HELD_BY: Final = "HeldBy"  # another job of the namespace has it, as the message says

# the spec
INVALID_SPEC: Final = "InvalidSpec"  # passed the schema, but cannot be carried out
SPEC_NOT_UNDERSTOOD: Final = "SpecNotUnderstood"  # the operator or the pod does not understand a field of the spec
DELETING: Final = "Deleting"  # the job is being deleted, and a finalizer holds it
