"""The condition types and reasons of IngestPolicy as data."""

from typing import Final

from .condition_types import ConditionCatalog

CATALOG: Final = ConditionCatalog()
TYPES: Final = CATALOG.types
REASONS: Final = CATALOG.reasons
_type, _reason = CATALOG.add_type, CATALOG.add_reason

READY: Final = _type("Ready", "normal", "The operator has applied the policy to each job of its namespaces.")
RECONCILING: Final = _type("Reconciling", "abnormal", "The operator has not applied the policy to each job yet.")
STALLED: Final = _type("Stalled", "abnormal", "A person has to act; the message says how.")

APPLIED: Final = _reason("Applied", (READY,), "The policy applies to each job of its namespaces.")
NO_NAMESPACES: Final = _reason(
    "NoNamespaces",
    (READY,),
    "The selector selects no namespace with the label sluice.dev/tenant.",
    "Compare the selector with the labels of the namespaces.",
)
APPLYING: Final = _reason(
    "Applying", (READY, RECONCILING), "Some jobs do not show the policy yet.", "Wait for the next resync."
)
NOT_UNDERSTOOD: Final = _reason(
    "NotUnderstood",
    (READY, STALLED),
    "The operator does not understand a field of the policy.",
    "Correct the field that the message names, or upgrade the operator.",
)
