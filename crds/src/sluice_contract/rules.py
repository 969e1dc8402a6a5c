"""Validation rules across fields, as CEL for the API server and as Python for use without an API server."""

from __future__ import annotations

from .pod_rules import POD_RULES
from .providers import PROVIDER_RULES
from .resource import IngestJob
from .rule import ValidationRule


def messages_of_broken_rules(job: IngestJob) -> list[str]:
    """Return the message of each rule that the job breaks, for a runtime without a cluster."""
    return [rule.standalone_message or rule.message for rule in RULES if not rule.holds(job)]


_SECONDS_OF_A_DAY = 86_400


def _has_budget_for_heartbeats(job: IngestJob) -> bool:
    """Return whether the job's daily budget is at least twice what its heartbeats need; true without a budget."""
    budget = job.spec.limits.writes_per_day
    return budget is None or budget * job.spec.heartbeat.interval_seconds >= 2 * _SECONDS_OF_A_DAY


RESERVED_COLLECTIONS = ("users", "ops", "live_bars", "ingest_state")

RULES = (
    ValidationRule(
        path=(),
        rule="self.metadata.name.size() <= 56",
        message="metadata.name can have at most 56 characters, because -ingest is added to it: choose a shorter name",
        holds=lambda job: len(job.metadata.name) <= 56,
    ),
    ValidationRule(
        path=("spec", "tenant"),
        rule="self == oldSelf",
        message="spec.tenant is immutable: to change the tenant, delete the job and create it again",
        holds=lambda _: True,  # the rule compares two documents
    ),
    ValidationRule(
        path=("spec", "channels"),
        rule="self.exists(each, each == 'quotes')",
        message="spec.channels must contain quotes, because trades set the price in the quote document: add quotes",
        holds=lambda job: "quotes" in job.spec.channels,
    ),
    *PROVIDER_RULES,
    ValidationRule(
        path=("spec", "firestore", "liveQuotesCollection"),
        rule="!(self in [" + ", ".join(f"'{name}'" for name in RESERVED_COLLECTIONS) + "])",
        message="this collection name is reserved (users, ops, live_bars, ingest_state): choose another, such as "
        "live_quotes",
        holds=lambda job: job.spec.firestore.live_quotes_collection not in RESERVED_COLLECTIONS,
    ),
    ValidationRule(
        path=("spec",),
        rule="!has(self.limits.writesPerDay) || self.limits.writesPerDay * self.heartbeat.intervalSeconds >= "
        f"{2 * _SECONDS_OF_A_DAY}",
        message="limits.writesPerDay must be at least twice the number of heartbeats in a day, "
        f"{_SECONDS_OF_A_DAY} / heartbeat.intervalSeconds: raise it, or raise heartbeat.intervalSeconds",
        holds=_has_budget_for_heartbeats,
    ),
    *POD_RULES,
)
