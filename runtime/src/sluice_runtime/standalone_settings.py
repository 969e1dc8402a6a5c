"""The job and settings of a standalone runtime, from environment variables."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from sluice_contract.identity import STANDALONE_POD_UID, InjectedJob
from sluice_contract.resource import IngestJob
from sluice_contract.validation import InvalidDocumentError, decode_valid_job
from sluice_contract.validation import Path as FieldPath

from .providers.registry import ENVIRONMENT_PROVIDER, load_all_providers, load_provider
from .settings import Settings, SettingsError, common_settings, first_set_variable, is_switched_on, variable

# The first name is Sluice's own; the others are accepted aliases. A provider can add names for the symbols.
TENANT = ("TENANT_ID", "FIRESTORE_TENANT_ID")
SYMBOLS = "MONITORED_SYMBOLS"
PROJECT = ("FIRESTORE_PROJECT_ID", "FIREBASE_PROJECT_ID")
COLLECTION = ("FIRESTORE_LIVE_QUOTES_COLLECTION", "FIRESTORE_LATEST_COLLECTION")
STATE_DIR = "SLUICE_STATE_DIR"
STOP_AFTER = "STOP_AFTER_SECONDS"

# The block and field of the spec for each number.
NUMBERS = {
    "PER_SYMBOL_MIN_INTERVAL_MS": ("limits", "minIntervalMilliseconds"),
    "GLOBAL_WRITES_PER_SEC": ("limits", "writesPerSecond"),
    "GLOBAL_BURST": ("limits", "burst"),
    "FLUSH_INTERVAL_MS": ("limits", "flushIntervalMilliseconds"),
    "GLOBAL_WRITES_PER_DAY": ("limits", "writesPerDay"),
    "HEARTBEAT_INTERVAL_S": ("heartbeat", "intervalSeconds"),
    STOP_AFTER: ("autoStop", "afterSeconds"),
}


_PLACES = {f"spec.{block}.{field}": name for name, (block, field) in NUMBERS.items()} | {
    "metadata.namespace": TENANT[0],
    "spec.tenant": TENANT[0],
    "spec.symbols": SYMBOLS,
    "spec.firestore.projectID": PROJECT[0],
    "spec.firestore.liveQuotesCollection": COLLECTION[0],
}


def job_from_environment(environment: Mapping[str, str]) -> IngestJob:
    """Return the job that the environment declares, with the provider that the registry names for such jobs.

    Raises:
        SettingsError: the environment declares no job, or the job lacks credentials or breaks a bound or a rule.
    """
    variables = load_provider(ENVIRONMENT_PROVIDER).variables
    tenant = first_set_variable(environment, TENANT)
    if tenant is None:
        raise SettingsError("TENANT_ID is not set; set it to the tenant's name, or name a document with -f")
    spec: dict[str, Any] = {
        "tenant": tenant,
        "provider": ENVIRONMENT_PROVIDER,
        "symbols": _parse_symbols(first_set_variable(environment, (SYMBOLS, *variables.symbols)) or "SPY"),
        "dryRun": is_switched_on(environment, "DRY_RUN", default="off"),
        "firestore": _without_none(
            projectID=first_set_variable(environment, PROJECT),
            liveQuotesCollection=first_set_variable(environment, COLLECTION),
        ),
    }
    spec[ENVIRONMENT_PROVIDER] = variables.read_block(environment, is_dry_run=spec["dryRun"])
    for name, (block, field) in NUMBERS.items():
        if (value := variable(environment, name)) is not None:
            spec.setdefault(block, {})[field] = _parse_integer(name, value)
    try:
        return validated_job({"metadata": {"name": "standalone", "namespace": tenant}, "spec": spec})
    except SettingsError as error:
        raise SettingsError(with_variable_names(str(error), {**_PLACES, **variables.block_fields})) from None


class DocumentVariables(NamedTuple):
    """The variables of a job that also apply to a document."""

    is_dry_run: bool  # DRY_RUN makes any document dry
    stop_after_seconds: int | None  # STOP_AFTER_SECONDS replaces spec.autoStop.afterSeconds
    project: str | None  # FIRESTORE_PROJECT_ID is used where the document names no project
    environment: Mapping[str, str]  # without credentials in it, a provider can simulate the quotes of a dry run

    def apply_to(self, spec: dict[str, Any]) -> dict[str, str]:
        """Change the spec of a document in place. Return the names of the variables that have set a field, by path.

        Blocks with a value of another type stay unchanged, so that validation reports them.
        """
        set_fields: dict[str, str] = {}
        if self.is_dry_run:
            spec["dryRun"] = True
        if self.stop_after_seconds is not None and (auto_stop := _block(spec, "autoStop")) is not None:
            auto_stop["afterSeconds"] = self.stop_after_seconds
            set_fields["spec.autoStop.afterSeconds"] = STOP_AFTER
        firestore = _block(spec, "firestore") if self.project is not None else None
        if firestore is not None and firestore.get("projectID") is None:
            firestore["projectID"] = self.project
            set_fields["spec.firestore.projectID"] = PROJECT[0]
        if spec.get("dryRun") is True:
            for name, provider in load_all_providers():
                if isinstance(block := spec.get(name), dict):
                    spec[name] = provider.variables.block_for_dry_run(block, self.environment)
        return set_fields


def document_variables(environment: Mapping[str, str]) -> DocumentVariables:
    """Return the variables that apply to a document.

    Raises:
        SettingsError: a variable is malformed.
    """
    stop_after = variable(environment, STOP_AFTER)
    return DocumentVariables(
        is_dry_run=is_switched_on(environment, "DRY_RUN", default="off"),
        stop_after_seconds=_parse_integer(STOP_AFTER, stop_after) if stop_after is not None else None,
        project=first_set_variable(environment, PROJECT),
        environment=environment,
    )


def variables_without_effect_on_document(environment: Mapping[str, str]) -> list[str]:
    """Return the variables that are set and declare a job, but have no effect if a document declares it."""
    provided = load_provider(ENVIRONMENT_PROVIDER).variables
    names = [*TENANT, SYMBOLS, *provided.symbols, *COLLECTION, *provided.block_fields.values(), *NUMBERS]
    return [name for name in names if name != STOP_AFTER and variable(environment, name) is not None]


def _block(spec: dict[str, Any], name: str) -> dict[str, Any] | None:
    """Return a block of a spec, empty if it was absent, to change in place; None if the value is not a block."""
    found = spec.get(name)
    if found is not None and not isinstance(found, dict):
        return None
    block: dict[str, Any] = dict(found or {})  # a copy, because an alias of YAML can share the block
    spec[name] = block
    return block


def with_variable_names(sentence: str, variables_by_path: Mapping[str, str]) -> str:
    """Return an error message with the name of its variable in front of each field path."""
    for path, name in variables_by_path.items():
        sentence = re.sub(rf"{re.escape(path)}(?=[ :\[])", f"{name} ({path})", sentence)
    return sentence


def validated_job(
    document: dict[str, Any],
    scalar_texts: Mapping[FieldPath, str] | None = None,
    key_texts: Mapping[FieldPath, str] | None = None,
) -> IngestJob:
    """Validate a document as the API server would, and return it as a job. The default namespace is `default`.

    The texts are those of the scalars and keys that YAML does not read as strings; the error explains them.

    Raises:
        SettingsError: the document is invalid. The message lists all mistakes.
    """
    try:
        job = decode_valid_job(document, scalar_texts, key_texts)
    except InvalidDocumentError as error:
        raise SettingsError(str(error)) from None
    except ImportError:
        raise SettingsError(
            "a runtime without a cluster needs the package jsonschema; run pip install 'sluice-runtime[standalone]'"
        ) from None
    if job.metadata.namespace:
        return job
    return msgspec.structs.replace(job, metadata=msgspec.structs.replace(job.metadata, namespace="default"))


def standalone_settings(job: IngestJob, environment: Mapping[str, str], epoch: int, runtime_id: uuid.UUID) -> Settings:
    """Return the settings of a standalone runtime for `job`. `epoch` is Unix milliseconds, so that a later start wins.

    A job of another `runtime_id` is another job, even if it has the same name.

    Raises:
        SettingsError: a variable is malformed.
    """
    namespace = job.metadata.namespace
    uid = str(uuid.uuid5(runtime_id, f"{job.spec.tenant}/{namespace}/{job.metadata.name}"))
    return Settings(
        job=InjectedJob(
            namespace=namespace,
            name=job.metadata.name,
            uid=uid,
            generation=1,
            epoch=epoch,
            project_id="",
            spec=job.spec,
        ),
        pod_uid=STANDALONE_POD_UID,
        bind="127.0.0.1",
        api_url="",
        state_dir=state_dir(environment),
        exits_after_seconds=document_variables(environment).stop_after_seconds,
        **common_settings(environment),
    )


def state_dir(environment: Mapping[str, str]) -> Path:
    """Return the directory for the state of a standalone runtime. `sluice-runtime pause` uses the same directory."""
    if declared := environment.get(STATE_DIR):
        return Path(declared)
    home = environment.get("XDG_STATE_HOME") or f"{environment.get('HOME', '')}/.local/state"
    return Path(home) / "sluice"


def _parse_symbols(listed: str) -> list[str]:
    symbols = list(dict.fromkeys(each.strip().upper() for each in listed.split(",") if each.strip()))
    if not symbols:
        raise SettingsError(f"{SYMBOLS} is {listed!r} and names no symbol; write symbols like SPY,BRK.B")
    return symbols


def _without_none(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _parse_integer(name: str, value: str) -> int:
    try:
        number = float(value)
        if number != int(number):
            raise ValueError
    except (ValueError, OverflowError):
        raise SettingsError(f"{name} is {value!r}; use a whole number") from None
    return int(number)
