"""What can be set, all of it by environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from .domain.workload import PodSettings

Port = Annotated[int, Meta(ge=1, le=65535)]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The operator's settings."""

    # SLUICE_RUNTIME_IMAGE: what the ingest pods run. The platform's choice, not a tenant's.
    image: Annotated[str, Meta(min_length=1)] = "sluice-runtime:0.1.0"
    # SLUICE_FIRESTORE_PROJECT: the Google Cloud project of jobs that name none.
    project_id: Annotated[str, Meta(min_length=1)] = "demo-sluice"
    # FIRESTORE_EMULATOR_HOST: handed on to the pods; empty means the real Firestore.
    firestore_emulator_host: str = ""
    # SLUICE_WORKERS: jobs in hand at once. A pass waits for the API server, so more than cores makes sense.
    workers: Annotated[int, Meta(ge=1, le=64)] = 16
    # SLUICE_WATCH_NAMESPACES: comma-separated; empty means all.
    namespaces: tuple[str, ...] = ()
    # POD_IP: the address to serve on, which in a pod is its own; otherwise every address.
    host: str = "0.0.0.0"
    # SLUICE_HTTP_PORT: /healthz, /readyz and /metrics.
    port: Port = 8080
    # SLUICE_LOG_LEVEL: DEBUG also shows what kopf does.
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @property
    def pods(self) -> PodSettings:
        """The part that goes into the pods."""
        return PodSettings(
            image=self.image, project_id=self.project_id, firestore_emulator_host=self.firestore_emulator_host
        )


_VARIABLES = {
    "image": "SLUICE_RUNTIME_IMAGE",
    "project_id": "SLUICE_FIRESTORE_PROJECT",
    "firestore_emulator_host": "FIRESTORE_EMULATOR_HOST",
    "workers": "SLUICE_WORKERS",
    "namespaces": "SLUICE_WATCH_NAMESPACES",
    "host": "POD_IP",
    "port": "SLUICE_HTTP_PORT",
    "log_level": "SLUICE_LOG_LEVEL",
}


def settings(environment: Mapping[str, str]) -> Settings:
    """The settings in an environment. What is unset or empty has its default.

    Raises:
        ValueError: a value breaks its bounds; the message names the variable.
    """
    given: dict[str, object] = {field: environment[name] for field, name in _VARIABLES.items() if environment.get(name)}
    if "namespaces" in given:
        names = str(given["namespaces"]).split(",")
        given["namespaces"] = [name.strip() for name in names if name.strip()]
    try:
        return msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as error:
        field = str(error).rpartition("$.")[2].rstrip("`").split("[")[0]
        raise ValueError(f"{_VARIABLES.get(field, field)}: {error}") from error
