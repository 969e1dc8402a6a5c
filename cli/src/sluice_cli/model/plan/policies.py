"""IngestPolicies as the operator applies them: which select a namespace, and what they deny to a single job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ...contract import contract
from ..fields import child, flag, number, objects, text, texts
from ..pauses import JobKey
from ..selector import selector_of_document, selects
from .servers import is_host_of_namespace, normal_host, servers_of_job

SYMBOLS, WRITES_PER_SECOND, WRITES_PER_DAY = "symbols", "writesPerSecond", "writesPerDay"
BOUNDS = (SYMBOLS, WRITES_PER_SECOND, WRITES_PER_DAY)
_ENTRIES_SHOWN = 5


class Bound(NamedTuple):
    """The smallest value of a bound, and the policy that sets it: of several, the first by name."""

    value: int
    policy: str


class MergedPolicy(NamedTuple):
    """Several policies as one: each of them allows what it allows, and the smallest value of each bound counts."""

    policies: tuple[dict[str, Any], ...]
    dry_run_policy: str
    job_bounds: dict[str, Bound]
    namespace_bounds: dict[str, Bound]
    message: str

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the policies."""
        return tuple(text(each, "metadata", "name") for each in self.policies)


def policies_of_namespace(policies: Iterable[dict[str, Any]], labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the policies that select a namespace with these labels: one without the label of a tenant has none."""
    if contract()["tenantLabel"] not in labels:
        return []
    return [
        each for each in policies if selects(selector_of_document(child(each, "spec", "namespaceSelector")), labels)
    ]


def merged_policy(policies: Iterable[dict[str, Any]]) -> MergedPolicy:
    """Return the policies as one, in which every bound of each of them holds."""
    ordered = tuple(sorted(policies, key=lambda each: text(each, "metadata", "name")))
    dry = (text(each, "metadata", "name") for each in ordered if flag(each, "spec", "dryRun"))
    messages = dict.fromkeys(text(each, "spec", "message") for each in ordered)
    return MergedPolicy(
        policies=ordered,
        dry_run_policy=next(dry, ""),
        job_bounds=_smallest_bounds(ordered, "perJob"),
        namespace_bounds=_smallest_bounds(ordered, "perNamespace"),
        message=" ".join(each for each in messages if each),
    )


def _smallest_bounds(policies: Iterable[dict[str, Any]], field: str) -> dict[str, Bound]:
    found: dict[str, Bound] = {}
    for policy in policies:
        for name in BOUNDS:
            value = number(policy, "spec", field, name)
            if value is not None:
                bound = Bound(value, text(policy, "metadata", "name"))
                found[name] = min(found.get(name, bound), bound)
    return found


def denial_of_single_job(job: JobKey, spec: dict[str, Any], merged: MergedPolicy) -> str:
    """Return why the policies deny a job for what it declares itself; empty if each policy allows that."""
    for policy in merged.policies:
        sentence = _provider_denial(job, policy) or _host_denial(job, spec, policy)
        if sentence:
            return _with_message(sentence, merged)
    bound = merged.job_bounds.get(SYMBOLS)
    if bound is not None and len(job.symbols) > bound.value:
        return _with_message(
            f"spec.symbols has {len(job.symbols)} symbols, and IngestPolicy {bound.policy} allows {bound.value} in a "
            "job: remove symbols, or declare them in several jobs.",
            merged,
        )
    return ""


def _with_message(sentence: str, merged: MergedPolicy) -> str:
    return f"{sentence} {merged.message}".rstrip()


def _provider_denial(job: JobKey, policy: dict[str, Any]) -> str:
    if not isinstance(child(policy, "spec").get("providers"), list):
        return ""
    providers, name = objects(policy, "spec", "providers"), text(policy, "metadata", "name")
    entries = [each for each in providers if text(each, "name") == job.provider]
    if any("feeds" not in each or job.feed in texts(each, "feeds") for each in entries):
        return ""
    if not entries:
        allowed = allowed_text([text(each, "name") for each in providers])
        return f"IngestPolicy {name} does not allow provider {job.provider}: use one that it allows ({allowed})."
    allowed = allowed_text([feed for each in entries for feed in texts(each, "feeds")])
    given = f"feed {job.feed}" if job.feed else "a job without a feed"
    return (
        f"IngestPolicy {name} does not allow {given} of provider {job.provider}: use a feed that it allows ({allowed})."
    )


def _host_denial(job: JobKey, spec: dict[str, Any], policy: dict[str, Any]) -> str:
    if not isinstance(child(policy, "spec").get("hosts"), list):
        return ""
    hosts, name = texts(policy, "spec", "hosts"), text(policy, "metadata", "name")
    for server in servers_of_job(spec):
        if server.is_gateway and is_host_of_namespace(server.written_host, job.namespace):
            continue
        if not any(_pattern_covers_host(each, server.host) for each in hosts):
            given = f"host {server.host}" if server.host else "the host"
            return (
                f"IngestPolicy {name} does not allow {given} ({server.field}): use one that it allows "
                f"({allowed_text(hosts)})."
            )
    return ""


def _pattern_covers_host(pattern: str, host: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:].lower())
    return bool(host) and normal_host(pattern) == host


def allowed_text(entries: Sequence[str]) -> str:
    """Return the first entries of a list; "none" if there is no entry."""
    shown, more = ", ".join(entries[:_ENTRIES_SHOWN]), len(entries) - _ENTRIES_SHOWN
    return (f"{shown} and {more} more" if more > 0 else shown) or "none"


def effective_limit(name: str, spec: dict[str, Any], merged: MergedPolicy) -> int | None:
    """Return the smaller one of a limit of the job and the bound of each job; None if there is neither."""
    declared = number(spec, "limits", name)
    bound = merged.job_bounds.get(name)
    values = [each for each in (declared, bound.value if bound is not None else None) if each is not None]
    return min(values, default=None)
