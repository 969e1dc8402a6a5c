"""The four kinds of objects as data: names, scope, types, columns of `kubectl get`, and rules across fields."""

from __future__ import annotations

from typing import Final, get_args

import msgspec

from . import identity
from .base import CamelStruct
from .label_selector import selector_rules
from .pauses import (
    ClusterIngestPause,
    ClusterIngestPauseSpec,
    ClusterPauseStatus,
    IngestPause,
    IngestPauseSpec,
    PauseStatus,
)
from .policies import IngestPolicy, IngestPolicySpec, IngestPolicyStatus
from .providers import feeds_of_provider
from .resource import IngestJob
from .rule import SchemaRule
from .rules import RULES
from .spec import IngestJobSpec, Provider
from .status import IngestJobStatus

MAX_NAME_LENGTH: Final = 63


class Column(msgspec.Struct, frozen=True):
    """A column of `kubectl get`. A wide one is only in the output of `-o wide`."""

    name: str
    type: str
    path: str
    is_wide: bool = False


class ResourceKind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of object that the API server stores for Sluice."""

    name: str
    plural: str
    short_name: str
    is_namespaced: bool
    object_type: type[CamelStruct]
    spec_type: type[CamelStruct]
    status_type: type[CamelStruct]
    columns: tuple[Column, ...]
    rules: tuple[SchemaRule, ...]


def _condition_field(kind: str, field: str) -> str:
    return f'.status.conditions[?(@.type=="{kind}")].{field}'


_AGE: Final = Column("Age", "date", ".metadata.creationTimestamp")

# With names of usual length, the default table has about 120 characters.
_JOB_COLUMNS: Final = (
    Column("Provider", "string", ".spec.provider"),
    Column("Phase", "string", ".status.phase"),
    Column("Ready", "string", _condition_field("Ready", "status")),
    Column("Reason", "string", _condition_field("Ready", "reason")),
    Column("Live", "string", ".status.stream.symbols.live"),
    Column("Last-Quote", "date", ".status.stream.heartbeat.lastQuoteReceivedAt"),
    Column("Last-Report", "date", ".status.stream.heartbeat.at"),
    Column("Paused-By", "string", ".status.stream.pause.source"),
    Column("Dry-Run", "boolean", ".spec.dryRun"),
    _AGE,
    Column("Tenant", "string", ".spec.tenant", is_wide=True),
    Column("Feed", "string", ".status.stream.feed", is_wide=True),
    Column("Paused-Symbols", "string", ".status.stream.symbols.pausedSymbols", is_wide=True),
    Column("Message", "string", _condition_field("Ready", "message"), is_wide=True),
)
_PAUSE_COLUMNS: Final = (
    Column("In-Force", "string", _condition_field("InForce", "status")),
    Column("Acknowledged", "string", ".status.acknowledged"),
    Column("Reason", "string", ".spec.reason"),
    Column("By", "string", ".spec.by"),
    Column("Until", "string", ".spec.until"),
    _AGE,
    Column("Symbols", "string", ".spec.symbols", is_wide=True),
)
_POLICY_COLUMNS: Final = (
    Column("Mode", "string", ".spec.mode"),
    Column("Namespaces", "integer", ".status.namespaces"),
    Column("Jobs", "integer", ".status.jobs"),
    Column("Denied", "integer", ".status.deniedJobs"),
    Column("Ready", "string", _condition_field("Ready", "status")),
    _AGE,
)

_NAME_RULE: Final = SchemaRule(
    path=(),
    rule=f"self.metadata.name.size() <= {MAX_NAME_LENGTH}",
    message=f"metadata.name can have at most {MAX_NAME_LENGTH} characters: choose a shorter name",
)
_PROVIDERS: Final = get_args(Provider)
_KNOWN_PROVIDERS: Final = SchemaRule(
    path=("spec", "providers"),
    rule="self.all(each, each.name in [" + ", ".join(f"'{name}'" for name in _PROVIDERS) + "])",
    message=f"no job can have this provider, so the pause would stop nothing: write one of {', '.join(_PROVIDERS)}",
)


def _rule_for_feeds() -> SchemaRule:
    feeds_by_provider = {name: feeds for name in _PROVIDERS if (feeds := feeds_of_provider(name))}
    known = " || ".join(
        f"(each.name == '{name}' && each.feeds.all(feed, feed in [" + ", ".join(f"'{feed}'" for feed in names) + "]))"
        for name, names in feeds_by_provider.items()
    )
    words = "; ".join(f"{name} has the feeds {', '.join(names)}" for name, names in feeds_by_provider.items())
    return SchemaRule(
        path=("spec", "providers"),
        rule=f"self.all(each, !has(each.feeds) || {known})",
        message=f"no job can have this feed, so the pause would stop nothing: {words}; leave feeds out for all jobs of "
        "a provider",
    )


_ONE_SELECTION: Final = SchemaRule(
    path=("spec",),
    rule="has(self.jobs) != has(self.jobSelector)",
    message="name the jobs in spec.jobs, or select them in spec.jobSelector ({} selects every job of the namespace): "
    "write exactly one of the two",
)

INGEST_JOB: Final = ResourceKind(
    name=identity.KIND,
    plural=identity.PLURAL,
    short_name=identity.SHORT_NAME,
    is_namespaced=True,
    object_type=IngestJob,
    spec_type=IngestJobSpec,
    status_type=IngestJobStatus,
    columns=_JOB_COLUMNS,
    rules=RULES,
)
INGEST_PAUSE: Final = ResourceKind(
    name=identity.PAUSE_KIND,
    plural=identity.PAUSES,
    short_name="ipause",
    is_namespaced=True,
    object_type=IngestPause,
    spec_type=IngestPauseSpec,
    status_type=PauseStatus,
    columns=_PAUSE_COLUMNS,
    rules=(_NAME_RULE, _ONE_SELECTION, *selector_rules("spec", "jobSelector")),
)
CLUSTER_INGEST_PAUSE: Final = ResourceKind(
    name=identity.CLUSTER_PAUSE_KIND,
    plural=identity.CLUSTER_PAUSES,
    short_name="cipause",
    is_namespaced=False,
    object_type=ClusterIngestPause,
    spec_type=ClusterIngestPauseSpec,
    status_type=ClusterPauseStatus,
    columns=_PAUSE_COLUMNS,
    rules=(_NAME_RULE, _KNOWN_PROVIDERS, _rule_for_feeds()),
)
INGEST_POLICY: Final = ResourceKind(
    name=identity.POLICY_KIND,
    plural=identity.POLICIES,
    short_name="ipolicy",
    is_namespaced=False,
    object_type=IngestPolicy,
    spec_type=IngestPolicySpec,
    status_type=IngestPolicyStatus,
    columns=_POLICY_COLUMNS,
    rules=(_NAME_RULE, *selector_rules("spec", "namespaceSelector")),
)

KINDS: Final = (INGEST_JOB, INGEST_PAUSE, CLUSTER_INGEST_PAUSE, INGEST_POLICY)
