"""Validation rules across fields, as CEL for the API server and as Python for use without an API server."""

from __future__ import annotations

from .pod_rules import POD_RULES
from .resource import IngestJob
from .rule import ValidationRule


def messages_of_broken_rules(job: IngestJob) -> list[str]:
    """Return the message of each rule that the job breaks, for a runtime without a cluster."""
    return [rule.standalone_message or rule.message for rule in RULES if not rule.holds(job)]


def _rule_for_settings_of_provider(provider: str) -> ValidationRule:
    return ValidationRule(
        path=("spec",),
        rule=f"!has(self.{provider}) || self.provider == '{provider}'",
        message=f"spec.{provider} is used only by provider {provider}: remove it, or set spec.provider to {provider}",
        holds=lambda job: getattr(job.spec, provider) is None or job.spec.provider == provider,
    )


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
    _rule_for_settings_of_provider("alpaca"),
    _rule_for_settings_of_provider("ibkr"),
    _rule_for_settings_of_provider("synthetic"),
    _rule_for_settings_of_provider("replay"),
    ValidationRule(
        path=("spec",),
        rule="self.provider != 'replay' || has(self.replay)",
        message="provider replay needs spec.replay.tape: name the ConfigMap or the PersistentVolumeClaim "
        "that holds the tape",
        standalone_message="provider replay needs spec.replay.tape: name the file of the tape",
        holds=lambda job: job.spec.provider != "replay" or job.spec.replay is not None,
    ),
    ValidationRule(
        path=("spec", "replay", "tape"),
        rule="has(self.configMapRef) != has(self.claimRef)",
        message="spec.replay.tape needs exactly one location: set either configMapRef or claimRef",
        holds=lambda job: (
            job.spec.replay is None
            or (job.spec.replay.tape.config_map_ref is None) != (job.spec.replay.tape.claim_ref is None)
        ),
    ),
    ValidationRule(
        path=("spec",),
        rule="self.provider != 'alpaca' || self.dryRun || (has(self.alpaca) && has(self.alpaca.credentialsSecretRef))",
        message="provider alpaca needs spec.alpaca.credentialsSecretRef: name a Secret with the keys ALPACA_KEY_ID and "
        "ALPACA_SECRET_KEY, or set spec.dryRun to true to try it with simulated quotes",
        standalone_message="provider alpaca needs spec.alpaca.credentialsSecretRef.name: set it to any name, and the "
        "variables ALPACA_KEY_ID and ALPACA_SECRET_KEY to the key pair; or set spec.dryRun to true to try it with "
        "simulated quotes",
        holds=lambda job: (
            job.spec.provider != "alpaca" or job.spec.dry_run or job.spec.alpaca_and_secret_name is not None
        ),
    ),
    ValidationRule(
        path=("spec",),
        rule="self.provider != 'ibkr' || has(self.ibkr)",
        message="provider ibkr needs spec.ibkr.host: set it to the host of an IB Gateway or TWS",
        holds=lambda job: job.spec.provider != "ibkr" or job.spec.ibkr is not None,
    ),
    ValidationRule(
        path=("spec",),
        rule="self.provider != 'ibkr' || !self.channels.exists(each, each == 'bars')",
        message="provider ibkr has no one-minute bars: remove bars from spec.channels, or use another provider",
        holds=lambda job: job.spec.provider != "ibkr" or "bars" not in job.spec.channels,
    ),
    ValidationRule(
        path=("spec", "firestore", "liveQuotesCollection"),
        rule="!(self in [" + ", ".join(f"'{name}'" for name in RESERVED_COLLECTIONS) + "])",
        message="this collection name is reserved (users, ops, live_bars, ingest_state): choose another, such as "
        "live_quotes",
        holds=lambda job: job.spec.firestore.live_quotes_collection not in RESERVED_COLLECTIONS,
    ),
    *POD_RULES,
)
