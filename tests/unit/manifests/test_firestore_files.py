"""The files of manifests/firestore agree with each other, with docs/runtime.md, and with what the runtime queries."""

from __future__ import annotations

import json
import os
import re
import subprocess
import textwrap
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "manifests/firestore"
FRAGMENT = (FOLDER / "sluice.rules").read_text()
SINK = ROOT / "runtime/src/sluice_runtime/sinks/firestore/sink.py"
ARGUMENTS = ("acme-1", "quotes", "acme")

# It records its arguments, and answers that the service account does not exist.
GCLOUD = """#!/bin/sh
for argument in "$@"; do printf '%s\\n' "$argument" >>"$RECORD"; done
printf '%s\\n' --- >>"$RECORD"
[ "$2 $3" != "service-accounts describe" ]
"""


def documented_collections() -> set[str]:
    """Return the collections in the table of documents in docs/runtime.md."""
    page = (ROOT / "docs/runtime.md").read_text()
    [section] = re.findall(r"^## Documents\n(.*?)^## ", page, re.DOTALL | re.MULTILINE)
    return set(re.findall(r"^\| `(\w+)/", section, re.MULTILINE))


def overrides() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FOLDER / "firestore.indexes.json").read_text())["fieldOverrides"]
    return found


def test_the_complete_ruleset_contains_the_fragment() -> None:
    assert textwrap.indent(FRAGMENT, "    ") in (FOLDER / "firestore.rules").read_text()


def test_the_rules_name_the_documented_collections_and_users() -> None:
    assert set(re.findall(r"match /(\w+)/\{", FRAGMENT)) - {"tenants"} == documented_collections() | {"users"}


def test_every_documented_collection_is_exempt_from_indexes() -> None:
    exempt = {each["collectionGroup"] for each in overrides() if each["fieldPath"] == "*" and each["indexes"] == []}
    assert exempt == documented_collections()


def test_the_fields_that_the_runtime_queries_stay_indexed() -> None:
    queried = set(re.findall(r'self\._symbols_of_records\("(\w+)"', SINK.read_text()))
    indexed = {each["fieldPath"] for each in overrides() if each["indexes"]}
    assert queried == indexed == {"job", "pause_fetch"}


def test_firebase_json_names_files_of_the_folder() -> None:
    named = json.loads((FOLDER / "firebase.json").read_text())["firestore"].values()
    assert all((FOLDER / name).is_file() for name in named)


def run_tenant_access(folder: Path, *arguments: str) -> tuple[subprocess.CompletedProcess[str], list[list[str]]]:
    """Run the script with a gcloud that records; return its result and the arguments of each call of gcloud."""
    (folder / "gcloud").write_text(GCLOUD)
    (folder / "gcloud").chmod(0o755)
    record = folder / "record"
    record.touch()
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "RECORD": str(record)}
    command = [str(FOLDER / "tenant-access.sh"), *arguments]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return result, [call.splitlines() for call in record.read_text().split("---\n")[:-1]]


def test_a_tenants_account_gets_its_role_on_one_database_only(tmp_path: Path) -> None:
    result, calls = run_tenant_access(tmp_path, *ARGUMENTS)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("sluice-acme@acme-1.iam.gserviceaccount.com can read and write the database quotes")
    assert calls[1][:4] == ["iam", "service-accounts", "create", "sluice-acme"]
    [grant] = [call for call in calls if call[:2] == ["projects", "add-iam-policy-binding"]]
    assert "--role=roles/datastore.user" in grant
    condition = 'resource.name == "projects/acme-1/databases/quotes"'
    assert f"--condition=title=sluice-acme,expression={condition}" in grant
    assert not any("roles/iam.workloadIdentityUser" in " ".join(call) for call in calls)


def test_the_pods_of_a_namespace_may_use_the_account(tmp_path: Path) -> None:
    _, calls = run_tenant_access(tmp_path, *ARGUMENTS, "acme-feeds")
    assert "--member=serviceAccount:acme-1.svc.id.goog[acme-feeds/sluice-ingest]" in calls[-1]
    assert "--role=roles/iam.workloadIdentityUser" in calls[-1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (ARGUMENTS[:2], "usage: "),
        ((*ARGUMENTS[:2], "Acme"), "sluice-Acme is not a valid name of a service account: use "),
        ((*ARGUMENTS[:2], "a" * 24), "is not a valid name of a service account: use "),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_created(
    tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    result, calls = run_tenant_access(tmp_path, *arguments)
    assert result.returncode == 2
    assert sentence in result.stderr
    assert calls == []
