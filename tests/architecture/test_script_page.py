"""docs/coming-from-a-script.md states what the code does: its variables, routes, kinds of log lines and status words.

tests/integration/test_script_page.py compares the page with a running process.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from google.auth import environment_vars

from sluice_contract.status import HeartbeatState
from sluice_runtime.providers.alpaca.variables import VARIABLES, read_url
from sluice_runtime.settings import SettingsError, common_settings
from sluice_runtime.standalone_settings import job_from_environment
from support.script_page import PAGE, ROOT, first_names, names_in_code, tables

SOURCES = [ROOT / "runtime/src/sluice_runtime", ROOT / "crds/src/sluice_contract"]
VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
OTHER_CONSTANTS = {
    "PAUSE_CHECK_FAILED",  # a kind of log lines
    "REQUESTS_CA_BUNDLE",  # written for alpaca-py, not read
}

# A value of each variable that a job or its settings depend on. Other tests cover the rest.
VALUES = {
    "TENANT_ID": "beta",
    "FIRESTORE_TENANT_ID": "beta",
    "ALPACA_DATA_FEED": "sip",
    "ALPACA_STREAM_URL": "wss://proxy/v2/iex",
    "APCA_API_BASE_URL": "https://paper-api.alpaca.markets",
    "APCA_API_DATA_URL": "https://data.alpaca.markets",
    "MONITORED_SYMBOLS": "AAPL",
    "ALPACA_SYMBOLS": "AAPL",
    "FIRESTORE_PROJECT_ID": "demo-project",
    "FIREBASE_PROJECT_ID": "demo-project",
    "FIRESTORE_LIVE_QUOTES_COLLECTION": "latest",
    "FIRESTORE_LATEST_COLLECTION": "latest",
    "DRY_RUN": "on",
    "INGEST_ENABLED": "off",
    "INGEST_ENABLED_FILE": "/run/switch",
    "LOG_LEVEL": "debug",
    "LOG_QUOTES": "all",
    "RECONNECT_BACKOFF_MAX_S": "90",
    "GLOBAL_WRITES_PER_DAY": "40000",
}
KEYS = ("ALPACA_KEY_ID", "ALPACA_API_KEY", "APCA_API_KEY_ID"), ("ALPACA_SECRET_KEY", "APCA_API_SECRET_KEY")
ELSEWHERE = {
    *("FIRESTORE_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT"),
    *("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE"),
}

READ, OF_THE_PLATFORM = tables("Variables that are read")
[NOT_READ] = tables("Variables that are not read")


def names(rows: list[list[str]]) -> list[str]:
    return [name for row in rows for name in names_in_code(row[0])]


def text_constants(path: Path) -> Iterator[str]:
    """Yield the text constants of a module, and the values of Google's constants that it names."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Constant(value=str(text)):
                yield text
            case ast.Attribute(value=ast.Name(id="environment_vars"), attr=name):
                yield getattr(environment_vars, name)


def variables_in_code() -> set[str]:
    """Return the names of environment variables in the code of the runtime and the contract."""
    texts = {text for folder in SOURCES for path in folder.rglob("*.py") for text in text_constants(path)}
    return {text for text in texts if VARIABLE.fullmatch(text) or text == "HOME"} - OTHER_CONSTANTS


def effect(**environment: str) -> tuple[object, object, object]:
    """Return the job, the settings and the provider's options that an environment with keys declares.

    The tenant is acme if it names none.
    """
    tenant = {} if {"TENANT_ID", "FIRESTORE_TENANT_ID"} & environment.keys() else {"TENANT_ID": "acme"}
    whole = {"ALPACA_KEY_ID": "key", "ALPACA_SECRET_KEY": "secret", **tenant, **environment}
    return job_from_environment(whole), common_settings(whole), [read_url(whole, each) for each in VARIABLES.options]


def test_each_variable_that_the_runtime_reads_is_listed_and_no_other() -> None:
    assert sorted(names(READ) + names(OF_THE_PLATFORM)) == sorted(variables_in_code())


@pytest.mark.parametrize("name", sorted({*names(READ)} - ELSEWHERE - {*KEYS[0], *KEYS[1]}))
def test_each_listed_variable_has_an_effect(name: str) -> None:
    assert effect(**{name: VALUES.get(name, "25")}) != effect()


def test_each_name_of_a_key_is_accepted() -> None:
    expected = job_from_environment({"TENANT_ID": "acme", "ALPACA_KEY_ID": "k", "ALPACA_SECRET_KEY": "s"})
    assert set(names_in_code(READ[1][0])) == set(KEYS[0])
    assert set(names_in_code(READ[2][0])) == set(KEYS[1])
    for key in KEYS[0]:
        for secret in KEYS[1]:
            assert job_from_environment({"TENANT_ID": "acme", key: "k", secret: "s"}) == expected


def test_no_variable_of_the_other_table_is_read() -> None:
    assert set(names(NOT_READ)) & variables_in_code() == set()
    assert effect(**dict.fromkeys(names(NOT_READ), "25")) == effect()


@pytest.mark.parametrize("word", ["1", "true", "On", "YES", "enabled"])
def test_the_words_for_on_are_accepted(word: str) -> None:
    assert effect(DRY_RUN=word, INGEST_ENABLED=word) == effect(DRY_RUN="on")


@pytest.mark.parametrize("word", ["0", "FALSE", "off", "no", "disabled"])
def test_the_words_for_off_are_accepted(word: str) -> None:
    assert effect(DRY_RUN=word, INGEST_ENABLED=word) == effect(INGEST_ENABLED="off")


@pytest.mark.parametrize("word", ["y", "n", "t", "f"])
def test_a_letter_is_refused_with_a_sentence(word: str) -> None:
    with pytest.raises(SettingsError, match="is neither on nor off; use 1, true, on, yes or 0"):
        effect(INGEST_ENABLED=word)


def test_each_field_on_the_page_is_a_field_of_the_resource() -> None:
    crd = yaml.safe_load((ROOT / "crds/ingestjobs.sluice.dev.yaml").read_text("utf-8"))
    [version] = crd["spec"]["versions"]
    schema: Any = version["schema"]["openAPIV3Schema"]
    for path in set(re.findall(r"`spec\.([A-Za-z.]+)", PAGE)):
        part = schema["properties"]["spec"]
        for name in path.split("."):
            assert name in part["properties"], f"spec.{path}"
            part = part["properties"][name]


def test_each_kind_of_log_line_exists() -> None:
    [rows] = tables("Log lines")
    described = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/logs.md").read_text("utf-8"), re.MULTILINE)
    in_code = {text for folder in SOURCES for path in folder.rglob("*.py") for text in text_constants(path)}
    assert set(first_names(rows, 1)) <= {*described} & in_code


def test_the_status_words_are_those_of_the_heartbeat() -> None:
    words, _ = tables("Status words")
    assert {name for name in first_names(words, 1) if ":" not in name} == set(get_args(HeartbeatState))
