"""Condition types and reasons, each with its meaning. The reason of an Event is the reason of its condition.

Polarity: `Reconciling`, `Stalled` and `Paused` name something to look at and are present only while True, as kstatus
expects of the first two (`Paused` is also present while a requested pause is not acknowledged). The other types are
good when True. `Ready` is always computed from the rest.
"""

from typing import Final

READY: Final = "Ready"  # the job streams, is paused as requested, or has finished
PAUSED: Final = "Paused"  # no connection is open and no quote is written, as requested
STREAMING: Final = "Streaming"  # the provider acknowledged every symbol that it accepts
CREDENTIALS_VALID: Final = "CredentialsValid"  # the provider accepted the credentials (Unknown until the first attempt)
SINK_HEALTHY: Final = "SinkHealthy"  # the last write to Firestore succeeded
CONNECTION_SLOT_ACQUIRED: Final = "ConnectionSlotAcquired"  # this job holds the one connection of its credentials
RECONCILING: Final = "Reconciling"  # the operator or the pod is working towards the declared state
STALLED: Final = "Stalled"  # a person has to act; the message says how

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
STREAMING_REASON: Final = "Streaming"  # the stream is live
PAUSED_REASON: Final = "Paused"  # the pause is acknowledged, or nothing can be connected
PAUSING: Final = "Pausing"  # a pause is requested and not yet acknowledged
REPLAY_FINISHED: Final = "ReplayFinished"  # the tape was streamed to its end
CONNECTING: Final = "Connecting"  # the pod has started, and the provider has not acknowledged the symbols
APPLYING_SPEC: Final = "ApplyingSpec"  # the pod has not yet applied the newest generation
BACKING_OFF: Final = "BackingOff"  # the connection failed and will be retried
SYMBOLS_REJECTED: Final = "SymbolsRejected"  # the job streams, but the provider rejects some symbols
PROVIDER_DEGRADED: Final = "ProviderDegraded"  # the job streams, but the provider reports a partial outage
HEARTBEAT_STALE: Final = "HeartbeatStale"  # the pod runs but has not reported for too long
SINK_UNHEALTHY: Final = "SinkUnhealthy"  # the job streams, but Firestore does not accept the writes

# Paused
NOT_ACKNOWLEDGED: Final = "NotAcknowledged"  # requested more than 10 s ago, and the pod has not confirmed it
STOP_ENFORCED: Final = "StopEnforced"  # an event: the pod did not confirm a stop for 14 s, so the operator deleted it
NOTHING_CONNECTED: Final = "NothingConnected"  # no pod runs, so nothing can be connected

# the pod
POD_CREATING: Final = "PodCreating"  # the operator is about to create the pod
POD_PENDING: Final = "PodPending"  # the pod exists but does not run yet
POD_STARTING: Final = "PodStarting"  # the pod runs but has not reported yet
POD_REPLACING: Final = "PodReplacing"  # a cold field changed; the old pod terminates first
POD_RESTARTING: Final = "PodRestarting"  # the pod exited by itself; a new one follows after a backoff
POD_CRASHING: Final = "PodCrashLooping"  # the container of the pod keeps exiting
POD_UNSTARTABLE: Final = "PodCannotStart"  # image, configuration or scheduling prevents the start of the pod
NAME_CONFLICT: Final = "NameConflict"  # a pod of another owner has this job's pod name
POD_REJECTED: Final = "PodRejected"  # the API server refuses the pod (quota, admission, Pod Security)
POD_MUTATED: Final = "PodMutated"  # a webhook or a policy changes fields of each pod that Sluice itself reads
DOCUMENT_CONFLICT: Final = "DocumentConflict"  # another job of the tenant writes the same documents

# credentials
ACCEPTED: Final = "Accepted"  # the provider accepted the credentials
NOT_NEEDED: Final = "NotNeeded"  # this provider needs no credentials
NOT_CHECKED: Final = "NotChecked"  # no connection has been tried yet
REFUSED: Final = "Refused"  # the provider rejects the credentials
MISSING: Final = "SecretIncomplete"  # the Secret is missing or lacks a key
NEW_REFUSED: Final = "NewCredentialsRefused"  # the provider refuses a new pair, so the previous one stays in use
NOT_ENTITLED: Final = "NotEntitled"  # the credentials are valid, but not for this feed
CERTIFICATE_NOT_TRUSTED: Final = "CertificateNotTrusted"  # the pod does not trust the certificate of the provider

# sink
WRITES_ACCEPTED: Final = "WritesAccepted"
WRITES_FAILING: Final = "WritesFailing"
NO_WRITES_YET: Final = "NoWritesYet"

# the connection slot
SLOT_ACQUIRED: Final = "Acquired"  # this job holds the connection
HELD_BY: Final = "HeldBy"  # another job of the namespace holds the connection; the message names it

# the spec
INVALID_SPEC: Final = "InvalidSpec"  # the spec is valid by its schema, but cannot be carried out
SPEC_NOT_UNDERSTOOD: Final = "SpecNotUnderstood"  # the operator or the pod does not understand a field of the spec
DELETING: Final = "Deleting"  # the job is being deleted, and a finalizer holds it
