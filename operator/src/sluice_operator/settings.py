"""The settings of the operator, from environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from sluice_contract.decoding_errors import explain_decoding_error
from sluice_contract.identity import DEFAULT_PROJECT
from sluice_contract.proxies import parse_proxy

from .domain import election
from .domain.election import LeaseTimings
from .domain.platform_bounds import PlatformBounds
from .domain.pod_bounds import METADATA_VARIABLE, NODE_KEY_VARIABLE, KeyBounds, PodBounds, parse_key_bounds
from .domain.provider_hosts import DEFAULT_PROVIDER_HOSTS, ProviderHost, parse_provider_hosts
from .domain.provider_hosts import VARIABLE as PROVIDER_HOSTS_VARIABLE
from .domain.rollout import MaxUnavailable, RolloutSettings, parse_max_unavailable
from .domain.workload import PodSettings, ProxyVariable

Seconds = Annotated[float, Meta(ge=0.1, le=3600)]
Port = Annotated[int, Meta(ge=1, le=65535)]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The operator's settings. The comment at each field names its environment variable."""

    # SLUICE_RUNTIME_IMAGE: the image of the ingest pods. The platform chooses it, not a tenant.
    image: Annotated[str, Meta(min_length=1)] = "sluice-runtime:0.1.0"
    # SLUICE_FIRESTORE_PROJECT: the Google Cloud project of jobs that name none.
    project_id: Annotated[str, Meta(min_length=1)] = DEFAULT_PROJECT
    # FIRESTORE_EMULATOR_HOST: passed to the pods; empty means the real Firestore.
    firestore_emulator_host: str = ""
    # SLUICE_WORKERS: concurrent reconciliations. Each waits for the API server, so more workers than cores are useful.
    # One namespace occupies a quarter of them at most.
    workers: Annotated[int, Meta(ge=1, le=64)] = 16
    # SLUICE_WATCH_NAMESPACES: the watched namespaces, comma-separated; empty means all.
    namespaces: tuple[str, ...] = ()
    # POD_IP: the address to serve on, which is set in a pod; the default is every address.
    host: str = "0.0.0.0"
    # POD_NAME: the name of this replica in the Lease. Empty: the host name.
    replica: str = ""
    # POD_UID: the UID of this replica's pod, which identifies the holder of the Lease. Empty: each process is another.
    pod_uid: str = ""
    # POD_NAMESPACE: the namespace of the Lease.
    namespace: Annotated[str, Meta(min_length=1)] = "sluice-system"
    # SLUICE_LEASE_SECONDS: the time without a renewal after which the standby takes over.
    lease_seconds: Seconds = 15.0
    # SLUICE_LEASE_RENEW_SECONDS: the time without a renewal after which a leader exits.
    lease_renew_seconds: Seconds = 10.0
    # SLUICE_LEASE_RETRY_SECONDS: the time between two renewals.
    lease_retry_seconds: Seconds = 2.0
    # SLUICE_INGEST_PRIORITY_CLASS: the PriorityClass of the ingest pods. Empty: none.
    priority_class: str = ""
    # SLUICE_POD_HTTPS_PROXY, SLUICE_POD_HTTP_PROXY, SLUICE_POD_NO_PROXY: the proxies of the ingest pods. Empty: none.
    pod_proxies: tuple[ProxyVariable, ...] = ()
    # SLUICE_POD_USER_ID: `platform` leaves the pods' user and groups to the platform. Empty: the user and group 65532.
    pod_user_id: Literal["", "platform"] = ""
    # SLUICE_REQUIRE_POLICIES: whether pods are created only while dry runs prove that the policies limit this account.
    require_policies: bool = True
    # SLUICE_PROVIDER_HOSTS: the servers to which jobs may send credentials, and the gateways of other namespaces.
    provider_hosts: tuple[ProviderHost, ...] = DEFAULT_PROVIDER_HOSTS
    # SLUICE_POD_PRIORITY_CLASSES: the PriorityClasses that jobs may name, besides that of all ingest pods.
    pod_priority_classes: tuple[str, ...] = ()
    # SLUICE_POD_METADATA_DOMAINS: the domains of the labels and annotations that jobs may set.
    pod_metadata_domains: KeyBounds = PodBounds().metadata_keys
    # SLUICE_POD_NODE_KEY_DOMAINS: the domains of the taints that jobs may tolerate and of the labels of their nodes.
    pod_node_key_domains: KeyBounds = PodBounds().node_keys
    # SLUICE_ROLLOUT_MAX_UNAVAILABLE: how many jobs a rollout interrupts at a time, such as 10% or 4.
    rollout_max_unavailable: MaxUnavailable = MaxUnavailable()
    # SLUICE_ROLLOUT_DEADLINE_SECONDS: the time in which a job has to be ready again after its pod was replaced.
    rollout_deadline_seconds: Annotated[float, Meta(ge=1, le=86400)] = 300.0
    # SLUICE_HTTP_PORT: the port of /livez, /readyz and /metrics.
    port: Port = 8080
    # SLUICE_LOG_LEVEL: DEBUG also includes kopf's logs.
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @property
    def workers_of_one_namespace(self) -> int:
        """The largest number of workers that reconcile jobs of the same namespace at once."""
        return max(1, self.workers // 4)

    @property
    def lease_timings(self) -> LeaseTimings:
        """The timings of the leader election, from the three Lease settings."""
        return LeaseTimings(self.lease_seconds, self.lease_renew_seconds, self.lease_retry_seconds)

    @property
    def pod_settings(self) -> PodSettings:
        """The settings that apply to all ingest pods."""
        return PodSettings(
            image=self.image,
            project_id=self.project_id,
            firestore_emulator_host=self.firestore_emulator_host,
            priority_class=self.priority_class,
            proxies=self.pod_proxies,
            user_ids_from_platform=self.pod_user_id == "platform",
            bounds=self._platform_bounds,
            rollout=RolloutSettings(self.rollout_max_unavailable, self.rollout_deadline_seconds),
        )

    @property
    def _platform_bounds(self) -> PlatformBounds:
        common_class = (self.priority_class,) if self.priority_class else ()
        pod = PodBounds(
            priority_classes=(*self.pod_priority_classes, *common_class),
            metadata_keys=self.pod_metadata_domains,
            node_keys=self.pod_node_key_domains,
        )
        return PlatformBounds(provider_hosts=self.provider_hosts, pod=pod)


_VARIABLES = {
    "image": "SLUICE_RUNTIME_IMAGE",
    "project_id": "SLUICE_FIRESTORE_PROJECT",
    "firestore_emulator_host": "FIRESTORE_EMULATOR_HOST",
    "workers": "SLUICE_WORKERS",
    "namespaces": "SLUICE_WATCH_NAMESPACES",
    "pod_priority_classes": "SLUICE_POD_PRIORITY_CLASSES",
    "host": "POD_IP",
    "replica": "POD_NAME",
    "pod_uid": "POD_UID",
    "namespace": "POD_NAMESPACE",
    "lease_seconds": "SLUICE_LEASE_SECONDS",
    "lease_renew_seconds": "SLUICE_LEASE_RENEW_SECONDS",
    "lease_retry_seconds": "SLUICE_LEASE_RETRY_SECONDS",
    "priority_class": "SLUICE_INGEST_PRIORITY_CLASS",
    "pod_user_id": "SLUICE_POD_USER_ID",
    "require_policies": "SLUICE_REQUIRE_POLICIES",
    "rollout_deadline_seconds": "SLUICE_ROLLOUT_DEADLINE_SECONDS",
    "port": "SLUICE_HTTP_PORT",
    "log_level": "SLUICE_LOG_LEVEL",
}


# What to write where a text is not accepted. All other settings accept any text.
_SECONDS: Final = "a number of seconds from 0.1 to 3600"
_ACCEPTED: Final = {
    "workers": "a whole number from 1 to 64",
    "port": "a whole number from 1 to 65535",
    "lease_seconds": _SECONDS,
    "lease_renew_seconds": _SECONDS,
    "lease_retry_seconds": _SECONDS,
    "rollout_deadline_seconds": "a number of seconds from 1 to 86400",
    "log_level": "DEBUG, INFO, WARNING or ERROR",
    "require_policies": "true or false",
}

MAX_UNAVAILABLE_VARIABLE: Final = "SLUICE_ROLLOUT_MAX_UNAVAILABLE"
_POD_PROXY_VARIABLES = {
    "SLUICE_POD_HTTPS_PROXY": "HTTPS_PROXY",
    "SLUICE_POD_HTTP_PROXY": "HTTP_PROXY",
    "SLUICE_POD_NO_PROXY": "NO_PROXY",
}


def settings_from_environment(environment: Mapping[str, str]) -> Settings:
    """Return the settings from environment variables. A variable that is unset or empty has its default.

    Raises:
        ValueError: a value is out of its bounds. The message names the variable.
    """
    given: dict[str, object] = {field: environment[name] for field, name in _VARIABLES.items() if environment.get(name)}
    for field in ("namespaces", "pod_priority_classes"):
        if field in given:
            given[field] = [name.strip() for name in str(given[field]).split(",") if name.strip()]
    given["pod_proxies"] = _pod_proxies(environment)
    given |= _platform_bounds(environment)
    if share := environment.get(MAX_UNAVAILABLE_VARIABLE, "").strip():
        given["rollout_max_unavailable"] = _max_unavailable(share)
    if (user_id := given.get("pod_user_id", "platform")) != "platform":
        raise ValueError(f"SLUICE_POD_USER_ID is {user_id!r}: set it to platform, or leave it empty for user ID 65532")
    try:
        chosen = msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as error:
        field = explain_decoding_error(error).path.removeprefix(".").split("[")[0]
        name = _VARIABLES[field]
        raise ValueError(f"{name} is {environment[name]!r}: write {_ACCEPTED[field]}") from None
    if said := election.timings_problem(chosen.lease_timings):
        raise ValueError(f"SLUICE_LEASE_SECONDS, SLUICE_LEASE_RENEW_SECONDS and SLUICE_LEASE_RETRY_SECONDS: {said}")
    return chosen


def _platform_bounds(environment: Mapping[str, str]) -> dict[str, object]:
    """Return the fields that bound what a job may ask for, except those whose variable is unset or empty.

    Raises:
        ValueError: an entry of a variable is malformed.
    """
    found: dict[str, object] = {}
    if hosts := parse_provider_hosts(environment.get(PROVIDER_HOSTS_VARIABLE, "")):
        found["provider_hosts"] = hosts
    for field, name in (("pod_metadata_domains", METADATA_VARIABLE), ("pod_node_key_domains", NODE_KEY_VARIABLE)):
        if environment.get(name, "").strip(", "):
            found[field] = parse_key_bounds(environment[name], name)
    return found


def _max_unavailable(text: str) -> MaxUnavailable:
    try:
        return parse_max_unavailable(text)
    except ValueError as error:
        raise ValueError(f"{MAX_UNAVAILABLE_VARIABLE} is {text!r}: {error}") from None


def _pod_proxies(environment: Mapping[str, str]) -> tuple[ProxyVariable, ...]:
    """Return the proxy variables of the pods.

    Raises:
        ValueError: a variable does not contain the URL of an HTTP proxy. The message does not contain the value.
    """
    found = []
    for own_name, pod_name in _POD_PROXY_VARIABLES.items():
        if value := environment.get(own_name, "").strip():
            if pod_name != "NO_PROXY":
                parse_proxy(value, own_name)
            found.append(ProxyVariable(pod_name, value))
    return tuple(found)
