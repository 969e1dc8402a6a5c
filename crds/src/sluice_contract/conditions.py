"""The condition types and reasons of an IngestJob as data: what each means, how it is read, and what to do.

docs/ingestjob.md has all of them. The reason of an Event is the reason of its condition. Ready is always computed from
the other conditions.
"""

from typing import Final

from .condition_types import ConditionCatalog

_CATALOG: Final = ConditionCatalog()
TYPES: Final = _CATALOG.types
REASONS: Final = _CATALOG.reasons
_type, _reason = _CATALOG.add_type, _CATALOG.add_reason

READY: Final = _type("Ready", "normal", "The job streams, is paused as requested, or has finished.")
PAUSED: Final = _type(
    "Paused",
    "abnormal",
    "No connection is open and no quote is written, as requested. False while a requested pause is not acknowledged.",
)
STREAMING: Final = _type("Streaming", "normal", "The provider acknowledged every symbol that it accepts.")
CREDENTIALS_VALID: Final = _type(
    "CredentialsValid", "normal", "The provider accepted the credentials. Unknown until the first attempt."
)
SINK_HEALTHY: Final = _type("SinkHealthy", "normal", "The last write to Firestore succeeded.")
CONNECTION_SLOT_ACQUIRED: Final = _type(
    "ConnectionSlotAcquired", "normal", "This job holds the one connection of its credentials."
)
POLICY_COMPLIANT: Final = _type(
    "PolicyCompliant", "normal", "The job is within the bounds of the policies. Present while a policy applies to it."
)
WRITE_BUDGET_AVAILABLE: Final = _type(
    "WriteBudgetAvailable",
    "normal",
    "The job has more than a fifth of its daily write budget left. Present while the job has a budget.",
)
RECONCILING: Final = _type("Reconciling", "abnormal", "The operator or the pod works towards the declared state.")
STALLED: Final = _type("Stalled", "abnormal", "A person has to act; the message says how.")
REPLACEMENT_PENDING: Final = _type(
    "ReplacementPending", "abnormal", "The pod waits for its replacement, or the job is not ready in time after it."
)

ORDER: Final = tuple(TYPES)

# Ready gives its reason to Streaming while the stream is not live, and to Reconciling or Stalled while it is False.
_GOOD = (READY, STREAMING)
_ON_ITS_WAY = (READY, STREAMING, RECONCILING)
_STUCK = (READY, STREAMING, STALLED)
_WAITING = (*_ON_ITS_WAY, REPLACEMENT_PENDING)
_WAIT = "Wait some seconds."
_GO_BACK = "Correct the jobs that are not ready in time, or go back to the previous image or spec."
_CORRECT_ACCESS_TO_FIRESTORE = "Correct what the message names: permissions, quota or network. Writes are retried."

STREAMING_REASON: Final = _reason("Streaming", _GOOD, "The stream is live.")
PAUSED_REASON: Final = _reason(
    "Paused", (READY, STREAMING, PAUSED), "The pause is acknowledged, or nothing can be connected."
)
PAUSING: Final = _reason("Pausing", _ON_ITS_WAY, "A pause is requested and not yet acknowledged.", _WAIT)
REPLAY_FINISHED: Final = _reason("ReplayFinished", _GOOD, "The tape was streamed to its end.")
CONNECTING: Final = _reason(
    "Connecting", _ON_ITS_WAY, "The pod has started, and the provider has not acknowledged the symbols.", _WAIT
)
APPLYING_SPEC: Final = _reason("ApplyingSpec", _ON_ITS_WAY, "The pod has not yet applied the newest generation.", _WAIT)
BACKING_OFF: Final = _reason(
    "BackingOff",
    (*_ON_ITS_WAY, STALLED),
    "The connection failed and will be retried.",
    "Read the failure in the message; the stream reconnects by itself.",
)
SYMBOLS_REJECTED: Final = _reason(
    "SymbolsRejected",
    _STUCK,
    "The provider rejects some symbols while the job streams, or the whole list because the plan allows fewer.",
    "Correct the symbols in status.stream.symbols.rejections, use a feed or a plan that has them, or remove symbols.",
)
PROVIDER_DEGRADED: Final = _reason(
    "ProviderDegraded", _GOOD, "The job streams, but the provider reports a partial outage.", "Read the message."
)
HEARTBEAT_STALE: Final = _reason(
    "HeartbeatStale",
    _ON_ITS_WAY,
    "The pod runs but has not reported for too long.",
    "Look at the pod's node, and at policies and webhooks that refuse the pod's status.",
)
SINK_UNHEALTHY: Final = _reason(
    "SinkUnhealthy",
    _ON_ITS_WAY,
    "The job streams, but Firestore does not accept the writes.",
    _CORRECT_ACCESS_TO_FIRESTORE,
)

NOT_ACKNOWLEDGED: Final = _reason(
    "NotAcknowledged",
    (PAUSED,),
    "The pause was requested more than 10 s ago, and the pod has not confirmed it: it may still be connected.",
    "Wait for the deletion of the pod; if the pod stays, look at its node.",
)
STOP_ENFORCED: Final = _reason(
    "StopEnforced", (), "The operator deleted a pod that did not confirm a stop for 14 s.", "Look at the pod's node."
)
NOTHING_CONNECTED: Final = _reason("NothingConnected", (PAUSED,), "No pod runs, so nothing can be connected.")

_WAIT_FOR_POD = "Wait; after a minute, read the events of the pod."
POD_CREATING: Final = _reason("PodCreating", _ON_ITS_WAY, "The operator is about to create the pod.", _WAIT)
POD_PENDING: Final = _reason("PodPending", _ON_ITS_WAY, "The pod exists but does not run yet.", _WAIT_FOR_POD)
POD_STARTING: Final = _reason("PodStarting", _ON_ITS_WAY, "The pod runs but has not reported yet.", _WAIT_FOR_POD)
POD_REPLACING: Final = _reason(
    "PodReplacing", _ON_ITS_WAY, "A cold field changed; the old pod terminates first.", "Wait up to its grace period."
)
WAITING_FOR_TURN: Final = _reason(
    "WaitingForTurn", _WAITING, "Many pods have to be replaced; this one continues and waits for its turn.", "Wait."
)
ROLLOUT_STOPPED: Final = _reason(
    "RolloutStopped", _WAITING, "Replaced jobs are not ready in time; this pod continues and waits.", _GO_BACK
)
NOT_READY_IN_TIME: Final = _reason(
    "NotReadyInTime", (REPLACEMENT_PENDING,), "The job is not ready in time after its pod was replaced.", _GO_BACK
)
POD_RESTARTING: Final = _reason(
    "PodRestarting",
    _ON_ITS_WAY,
    "The pod exited by itself (evicted, drained, out of memory); a new one follows after a backoff.",
    "If this repeats, read the events of the namespace.",
)
POD_DELETED: Final = _reason(
    "PodDeleted",
    _ON_ITS_WAY,
    "Another client keeps deleting the pod soon after its creation; a new one follows after a backoff.",
    "Find the client in the audit log of the API server. To stop the stream, pause the job instead.",
)
POD_CRASHING: Final = _reason(
    "PodCrashLooping", _ON_ITS_WAY, "The container of the pod keeps exiting.", "Read the log of the previous container."
)
POD_UNSTARTABLE: Final = _reason(
    "PodCannotStart",
    _ON_ITS_WAY,
    "Image, configuration or scheduling prevents the start of the pod.",
    "Correct what the message names: push the image, set pod.imagePullSecrets, create the Secret, or free a node.",
)
NAME_CONFLICT: Final = _reason(
    "NameConflict",
    _STUCK,
    "A pod of another owner has this job's pod name.",
    "Delete that pod, or give the job another name.",
)
POD_REJECTED: Final = _reason(
    "PodRejected",
    _STUCK,
    "The API server refuses the pod: a quota, Pod Security, or an admission policy.",
    "Correct what the message names; the operator retries each minute.",
)
POLICIES_NOT_PROVEN: Final = _reason(
    "PoliciesNotProven",
    (*_STUCK, RECONCILING),
    "No pod is created until dry runs are refused by the policies. Feeds that run continue, and stops work.",
    "An administrator restores the policy that the message names.",
)
POD_MUTATED: Final = _reason(
    "PodMutated",
    _STUCK,
    "A webhook or a policy changes fields of each pod that Sluice itself reads.",
    "Exclude the operator's pods from the webhook that changes the field in the message.",
)
DOCUMENT_CONFLICT: Final = _reason(
    "DocumentConflict",
    _STUCK,
    "Another job of the tenant writes the same documents.",
    "Change heartbeat.document, firestore.liveQuotesCollection or the symbols of one of the jobs.",
)
TENANT_CHANGED: Final = _reason(
    "TenantChanged",
    _STUCK,
    "The namespace no longer serves the job's tenant; a running pod continues.",
    "Delete the job if the change is intended; otherwise an administrator sets the label of the namespace again.",
)
POLICY_DENIED: Final = _reason(
    "PolicyDenied",
    (*_STUCK, POLICY_COMPLIANT),
    "A policy or the settings of the platform do not allow a value of the spec. A policy also stops a running pod.",
    "Change the value that the message names, or ask the administrator of the platform to allow it.",
)
QUOTA_EXCEEDED: Final = _reason(
    "QuotaExceeded",
    (*_STUCK, POLICY_COMPLIANT),
    "The jobs of the namespace together exceed a bound of a policy, counted from the oldest job.",
    "Lower the value in this job or in an older one, or ask the administrator of the platform to raise the bound.",
)
COMPLIANT: Final = _reason("Compliant", (POLICY_COMPLIANT,), "The job is within all bounds of the policies.")
CAPPED: Final = _reason(
    "Capped",
    (POLICY_COMPLIANT,),
    "A policy lowers a limit of the job; the message has the declared and the effective value.",
    "Lower the limit in the spec to the effective value, or ask the administrator of the platform to raise it.",
)
POLICY_WARNED: Final = _reason(
    "PolicyWarned",
    (POLICY_COMPLIANT,),
    "A policy with mode Warn would deny the job.",
    "Change the value that the message names before the mode of the policy becomes Enforce.",
)

BUDGET_SUFFICIENT: Final = _reason(
    "Sufficient", (WRITE_BUDGET_AVAILABLE,), "More than a fifth of the daily write budget is left."
)
_RAISE_BUDGET = "Raise limits.writesPerDay, or use fewer symbols."
BUDGET_SLOWED: Final = _reason(
    "Slowed",
    (WRITE_BUDGET_AVAILABLE,),
    "Less than a fifth of the daily write budget is left, so writes slow down.",
    _RAISE_BUDGET,
)
BUDGET_EXHAUSTED: Final = _reason(
    "Exhausted",
    (WRITE_BUDGET_AVAILABLE,),
    "The daily write budget is used up; the job is paused until the next day.",
    _RAISE_BUDGET,
)
WRITE_BUDGET_SLOWED: Final = _reason(
    "WriteBudgetSlowed",
    _GOOD,
    "The job streams, but its write budget slows its writes down.",
    _RAISE_BUDGET,
)

ACCEPTED: Final = _reason("Accepted", (CREDENTIALS_VALID,), "The provider accepted the credentials.")
NOT_NEEDED: Final = _reason("NotNeeded", (CREDENTIALS_VALID,), "This provider needs no credentials.")
NOT_CHECKED: Final = _reason("NotChecked", (CREDENTIALS_VALID,), "No connection has been tried yet.")
REFUSED: Final = _reason(
    "Refused",
    (*_STUCK, CREDENTIALS_VALID),
    "The provider rejects the credentials.",
    "Put valid credentials into the Secret; the pod uses them within about a minute, without a restart.",
)
MISSING: Final = _reason(
    "SecretIncomplete",
    (*_STUCK, CREDENTIALS_VALID),
    "The Secret is missing or lacks a key.",
    "Create the Secret with the keys that the message names, without quotation marks in their values.",
)
NEW_REFUSED: Final = _reason(
    "NewCredentialsRefused",
    (CREDENTIALS_VALID,),
    "The provider refuses a new pair, so the previous one stays in use.",
    "Correct the Secret.",
)
NOT_ENTITLED: Final = _reason(
    "NotEntitled",
    (*_STUCK, CREDENTIALS_VALID),
    "The credentials are valid, but not for this feed.",
    "Choose a feed that the plan has, or upgrade the plan.",
)
CERTIFICATE_NOT_TRUSTED: Final = _reason(
    "CertificateNotTrusted",
    _STUCK,
    "The pod does not trust the certificate of the provider.",
    "Name the certificate authority in the field that the message names.",
)

WRITES_ACCEPTED: Final = _reason("WritesAccepted", (SINK_HEALTHY,), "Firestore accepted the last write.")
WRITES_FAILING: Final = _reason(
    "WritesFailing",
    (SINK_HEALTHY,),
    "Firestore does not accept the writes.",
    _CORRECT_ACCESS_TO_FIRESTORE,
)
NO_WRITES_YET: Final = _reason("NoWritesYet", (SINK_HEALTHY,), "No quote has been written yet.")

SLOT_ACQUIRED: Final = _reason("Acquired", (CONNECTION_SLOT_ACQUIRED,), "This job holds the connection.")
HELD_BY: Final = _reason(
    "HeldBy",
    (*_ON_ITS_WAY, CONNECTION_SLOT_ACQUIRED),
    "Another job of the namespace holds the connection; the message names it.",
    "Pause or delete that job, or give this job credentials of its own.",
)
KEY_SHARED: Final = _reason(
    "KeyShared",
    (*_ON_ITS_WAY, CONNECTION_SLOT_ACQUIRED),
    "Another namespace uses the same key, so the provider refuses one of the connections.",
    "Give the job a key pair of its own, or pause it.",
)

INVALID_SPEC: Final = _reason(
    "InvalidSpec",
    _STUCK,
    "The spec is valid by its schema, but cannot be carried out.",
    "Correct the field that the message names.",
)
SPEC_NOT_UNDERSTOOD: Final = _reason(
    "SpecNotUnderstood",
    _STUCK,
    "The operator or the pod does not understand a field of the spec.",
    "Correct the field that the message names, or upgrade.",
)
DELETING: Final = _reason(
    "Deleting",
    _ON_ITS_WAY,
    "The job is being deleted, and a finalizer holds it; it streams nothing.",
    "Remove the finalizer that the message names, or wait for its controller.",
)
