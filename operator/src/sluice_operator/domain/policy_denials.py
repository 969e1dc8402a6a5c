"""What IngestPolicies deny to a single job, whatever other jobs declare: its provider, feed, hosts and symbols."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from sluice_contract import conditions as c
from sluice_contract.policies import IngestPolicy
from sluice_contract.provider_urls import normal_host, server_of_url
from sluice_contract.providers import feed_of_spec
from sluice_contract.spec import IngestJobSpec

from .denials import allowed_entries_text
from .merged_policy import MergedPolicy
from .provider_hosts import is_host_of_namespace

_MESSAGE_CHARACTERS: Final = 512


class PolicyDenial(msgspec.Struct, frozen=True):
    """Why policies deny a job: the reason of its conditions, the policy that denies it, and a message."""

    reason: str
    policy: str
    message: str


PolicyCheck = Callable[[IngestJobSpec, str, IngestPolicy], str]


def denial_message(sentence: str, message: str) -> str:
    """Return the sentence with the message of the policies after it, cut to the bound of `status.policy.denied`."""
    text = f"{sentence} {message}".rstrip()
    return text if len(text) <= _MESSAGE_CHARACTERS else f"{text[: _MESSAGE_CHARACTERS - 1]}…"


def denial_of_single_job(spec: IngestJobSpec, namespace: str, merged: MergedPolicy) -> PolicyDenial | None:
    """Return the first denial of a job for what it declares itself; None if each policy allows that.

    Sums over the jobs of the namespace are not considered.
    """
    for policy in merged.policies:
        for check in _CHECKS:
            if sentence := check(spec, namespace, policy):
                return PolicyDenial(c.POLICY_DENIED, policy.metadata.name, denial_message(sentence, merged.message))
    if (bound := merged.job_bounds.get("symbols")) is not None and len(spec.symbols) > bound.value:
        sentence = (
            f"spec.symbols has {len(spec.symbols)} symbols, and IngestPolicy {bound.policy} allows {bound.value} in a "
            "job: remove symbols, or declare them in several jobs."
        )
        return PolicyDenial(c.POLICY_DENIED, bound.policy, denial_message(sentence, merged.message))
    return None


def _provider_denial(spec: IngestJobSpec, _: str, policy: IngestPolicy) -> str:
    """Return a sentence if the policy does not allow the provider or the feed of the job; otherwise an empty text."""
    if policy.spec.providers is None:
        return ""
    feed = feed_of_spec(spec)
    if any(each.covers_feed(spec.provider, feed) for each in policy.spec.providers):
        return ""
    name, entries = policy.metadata.name, [each for each in policy.spec.providers if each.name == spec.provider]
    if not entries:
        allowed = allowed_entries_text(tuple(each.name for each in policy.spec.providers))
        return f"IngestPolicy {name} does not allow provider {spec.provider}: use one that it allows ({allowed})."
    allowed = allowed_entries_text(tuple(feed for each in entries for feed in each.feeds or ()))
    given = f"feed {feed}" if feed is not None else "a job without a feed"
    return (
        f"IngestPolicy {name} does not allow {given} of provider {spec.provider}: use a feed that it allows "
        f"({allowed})."
    )


def _host_denial(spec: IngestJobSpec, namespace: str, policy: IngestPolicy) -> str:
    """Return a sentence if the policy does not allow a host to which the job connects; otherwise an empty text.

    A gateway in the namespace of the job is always allowed, as by the operator's settings.
    """
    hosts, block = policy.spec.hosts, spec.provider_block
    if hosts is None or block is None:
        return ""
    servers: list[tuple[str, str]] = []
    if block.credentials is not None:
        for each in block.credentials_urls():
            server = server_of_url(each.url)
            servers.append((each.field, server.host if server is not None else ""))
    if block.gateway is not None and not is_host_of_namespace(block.gateway.host, namespace):
        servers.append((block.gateway.field, normal_host(block.gateway.host)))
    for field, host in servers:
        if not any(_pattern_covers_host(pattern, host) for pattern in hosts):
            return (
                f"IngestPolicy {policy.metadata.name} does not allow {f'host {host}' if host else 'the host'} "
                f"({field}): use one that it allows ({allowed_entries_text(tuple(hosts))})."
            )
    return ""


def _pattern_covers_host(pattern: str, host: str) -> bool:
    """Return whether a host is the one of the pattern, or below its domain. An empty host is covered by none."""
    if pattern.startswith("*."):
        return host.endswith(pattern[1:].lower())
    return bool(host) and normal_host(pattern) == host


_CHECKS: Final[tuple[PolicyCheck, ...]] = (_provider_denial, _host_denial)
