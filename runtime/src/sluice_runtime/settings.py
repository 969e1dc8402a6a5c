"""Settings of the process, from environment variables and mounted files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypedDict

import msgspec

from sluice_contract import identity
from sluice_contract.decoding_errors import explain_decoding_error
from sluice_contract.env_file_values import clean_value
from sluice_contract.identity import InjectedJob

from .domain.pause import Switch, parse_on_or_off

LogQuotes = Literal["sampled", "all"]

_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class SettingsError(Exception):
    """The process cannot start with these settings. The message is a sentence with what to do."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one process, read from the environment once at the start."""

    job: InjectedJob  # SLUICE_JOB: the declared job, as the operator injected it
    pod_uid: str  # POD_UID: part of every status, so that the operator recognises a predecessor's
    bind: str  # POD_IP: where /livez, /readyz and /metrics are served; the pod's own address
    api_url: str  # KUBERNETES_SERVICE_HOST and _PORT: the API server
    log_level: str  # LOG_LEVEL
    backoff_base_seconds: float  # RECONNECT_BACKOFF_BASE_S
    backoff_cap_seconds: float  # RECONNECT_BACKOFF_MAX_S
    enabled: bool  # INGEST_ENABLED: a switch outside the job document
    enabled_file: Path | None  # INGEST_ENABLED_FILE: another switch, in the first line of a file
    enabled_poll_seconds: float  # INGEST_ENABLED_POLL_S
    log_quotes: LogQuotes = "sampled"  # LOG_QUOTES: one written quote per second and symbol, or all received
    state_dir: Path = Path(identity.STATE_DIR)  # for state that outlives a restart of the process
    job_file: Path | None = None  # run -f: the document with the job, without a cluster
    files_dir: Path | None = None  # without a cluster: where the files are that the job names; None: they are mounted
    record_file: Path | None = None  # run --record: the tape to record to
    exits_after_seconds: float | None = None  # STOP_AFTER_SECONDS, without a cluster

    @property
    def is_standalone(self) -> bool:
        """Whether this process runs without a cluster."""
        return self.pod_uid == identity.STANDALONE_POD_UID

    @property
    def environment_switch(self) -> Switch:
        """The switch that INGEST_ENABLED sets."""
        return Switch(source="env:INGEST_ENABLED", pauses=not self.enabled)

    @property
    def http_token_file(self) -> Path | None:
        """The file with the bearer token for requests below /runtime; None if the job names no Secret with a token."""
        http = self.job.spec.http
        return Path(identity.HTTP_TOKEN_DIR) / identity.TOKEN_KEY if http and http.token_secret_ref else None

    @property
    def http_is_public(self) -> bool:
        """Whether every client that reaches the pod may read the status and the symbols."""
        http = self.job.spec.http
        return http is not None and http.public


def pod_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings of a pod from environment variables.

    Raises:
        SettingsError: a required setting is missing, or a setting is malformed.
    """
    return Settings(
        job=_parse_injected_job(_required_variable(environment, identity.JOB_ENV)),
        pod_uid=_required_variable(environment, identity.POD_UID_ENV),
        bind=environment.get(identity.POD_IP_ENV, "127.0.0.1"),
        api_url=_api_url(environment),
        **common_settings(environment),
    )


class CommonSettings(TypedDict):
    """The settings that a pod and a standalone runtime share."""

    log_level: str
    backoff_base_seconds: float
    backoff_cap_seconds: float
    enabled: bool
    enabled_file: Path | None
    enabled_poll_seconds: float
    log_quotes: LogQuotes


def common_settings(environment: Mapping[str, str]) -> CommonSettings:
    """Return the settings that a pod and a standalone runtime share.

    Raises:
        SettingsError: a setting is malformed.
    """
    file = variable(environment, "INGEST_ENABLED_FILE")
    base = _parse_seconds(environment, "RECONNECT_BACKOFF_BASE_S", 1.0)
    cap = _parse_seconds(environment, "RECONNECT_BACKOFF_MAX_S", 60.0)
    if base > cap:
        raise SettingsError(f"RECONNECT_BACKOFF_BASE_S is {base:g}, above RECONNECT_BACKOFF_MAX_S ({cap:g}); lower it")
    return CommonSettings(
        log_level=_parse_log_level(environment),
        backoff_base_seconds=base,
        backoff_cap_seconds=cap,
        enabled=is_switched_on(environment, "INGEST_ENABLED", default="on"),
        enabled_file=Path(file) if file else None,
        enabled_poll_seconds=_parse_seconds(environment, "INGEST_ENABLED_POLL_S", 5.0),
        log_quotes=_parse_log_quotes(environment),
    )


def is_switched_on(environment: Mapping[str, str], name: str, *, default: str) -> bool:
    """Return True if a variable is on, and False if it is off. If it is not set, `default` counts.

    Raises:
        SettingsError: the value is neither on nor off.
    """
    try:
        return parse_on_or_off(variable(environment, name) or default)
    except ValueError as error:
        raise SettingsError(f"{name} is malformed: {error}") from None


def variable(environment: Mapping[str, str], name: str) -> str | None:
    """Return a variable's value without spaces around it and without a byte order mark; None if nothing is left."""
    return clean_value(environment.get(name, "")) or None


def first_set_variable(environment: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    """Return the value of the first of `names` that is set; None if none is set."""
    values = (variable(environment, name) for name in names)
    return next((value for value in values if value is not None), None)


def _parse_injected_job(document: str) -> InjectedJob:
    try:
        return msgspec.json.decode(document, type=InjectedJob)
    except msgspec.MsgspecError as error:
        raise SettingsError(
            f"{identity.JOB_ENV} is not the document that the operator of this version injects "
            f"({explain_decoding_error(error)}); run operator and runtime of the same release"
        ) from error


def _required_variable(environment: Mapping[str, str], name: str) -> str:
    if value := environment.get(name):
        return value
    raise SettingsError(f"{name} is not set; run this program in a pod that sluice-operator created")


def _api_url(environment: Mapping[str, str]) -> str:
    host = _required_variable(environment, "KUBERNETES_SERVICE_HOST")
    port = environment.get("KUBERNETES_SERVICE_PORT", "443")
    return f"https://{f'[{host}]' if ':' in host else host}:{port}"


def _parse_log_level(environment: Mapping[str, str]) -> str:
    value = variable(environment, "LOG_LEVEL") or "info"
    if value.upper() not in _LOG_LEVELS:
        raise SettingsError(f"LOG_LEVEL is {value!r}; use {', '.join(_LOG_LEVELS).lower()}")
    return value.upper()


def _parse_log_quotes(environment: Mapping[str, str]) -> LogQuotes:
    match (variable(environment, "LOG_QUOTES") or "sampled").lower():
        case "sampled":
            return "sampled"
        case "all":
            return "all"
        case other:
            raise SettingsError(f"LOG_QUOTES is {other!r}; use sampled or all")


def _parse_seconds(environment: Mapping[str, str], name: str, default: float) -> float:
    value = variable(environment, name) or str(default)
    try:
        seconds = float(value)
    except ValueError as error:
        raise SettingsError(f"{name} is {value!r}; use a number of seconds, such as {default:g}") from error
    if not 0 < seconds < float("inf"):
        raise SettingsError(f"{name} is {value!r}; use a number of seconds above 0")
    return seconds
