"""The condition types and reasons of IngestPause and ClusterIngestPause as data."""

from typing import Final

from .condition_types import ConditionCatalog

CATALOG: Final = ConditionCatalog()
TYPES: Final = CATALOG.types
REASONS: Final = CATALOG.reasons
_type, _reason = CATALOG.add_type, CATALOG.add_reason

IN_FORCE: Final = _type("InForce", "normal", "The pause is in force: it has not ended.")
ACKNOWLEDGED: Final = _type("Acknowledged", "normal", "Each job that the pause covers has confirmed that it is closed.")
RECONCILING: Final = _type("Reconciling", "abnormal", "Some jobs have not acknowledged the pause yet.")

IN_FORCE_REASON: Final = _reason("InForce", (IN_FORCE,), "The pause is in force and covers at least one job.")
NOTHING_SELECTED: Final = _reason(
    "NothingSelected",
    (IN_FORCE, ACKNOWLEDGED),
    "The pause is in force and covers no job.",
    "Compare the names, labels, providers and symbols of the pause with those of the jobs.",
)
EXPIRED: Final = _reason(
    "Expired",
    (IN_FORCE,),
    "The pause has ended at the time in until.",
    "Delete the pause, or set a later time in until to pause again.",
)
ACKNOWLEDGED_REASON: Final = _reason(
    "Acknowledged", (ACKNOWLEDGED,), "Each job that the pause covers has closed its connection."
)
WAITING: Final = _reason(
    "Waiting", (ACKNOWLEDGED, RECONCILING), "Some jobs have not acknowledged the pause yet.", "Wait some seconds."
)
NOT_ACKNOWLEDGED: Final = _reason(
    "NotAcknowledged",
    (ACKNOWLEDGED, RECONCILING),
    "Some jobs have not acknowledged the pause for more than 10 s: they may still be connected.",
    "Wait for the deletion of their pods after 15 s; if a pod stays, look at its node.",
)
