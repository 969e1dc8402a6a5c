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
    workers: Annotated[int, Meta(ge=1, le=64)] = 16
    # SLUICE_WATCH_NAMESPACES: the watched namespaces, comma-separated; empty means all.
    namespaces: tuple[str, ...] = ()
    # POD_IP: the address to serve on, which is set in a pod; the default is every address.
    host: str = "0.0.0.0"
    # POD_NAME: the name of this replica in the Lease. Empty: the host name.
    replica: str = ""
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
    # SLUICE_HTTP_PORT: the port of /livez, /readyz and /metrics.
    port: Port = 8080
    # SLUICE_LOG_LEVEL: DEBUG also includes kopf's logs.
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

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
        )


_VARIABLES = {
    "image": "SLUICE_RUNTIME_IMAGE",
    "project_id": "SLUICE_FIRESTORE_PROJECT",
    "firestore_emulator_host": "FIRESTORE_EMULATOR_HOST",
    "workers": "SLUICE_WORKERS",
    "namespaces": "SLUICE_WATCH_NAMESPACES",
    "host": "POD_IP",
    "replica": "POD_NAME",
    "namespace": "POD_NAMESPACE",
    "lease_seconds": "SLUICE_LEASE_SECONDS",
    "lease_renew_seconds": "SLUICE_LEASE_RENEW_SECONDS",
    "lease_retry_seconds": "SLUICE_LEASE_RETRY_SECONDS",
    "priority_class": "SLUICE_INGEST_PRIORITY_CLASS",
    "pod_user_id": "SLUICE_POD_USER_ID",
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
    "log_level": "DEBUG, INFO, WARNING or ERROR",
}

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
    if "namespaces" in given:
        names = str(given["namespaces"]).split(",")
        given["namespaces"] = [name.strip() for name in names if name.strip()]
    given["pod_proxies"] = _pod_proxies(environment)
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
