"""The JSON Schemas of the kinds reject what the API server rejects by the schemas of the CRDs, and nothing else.

Also looked for: a refusal by the API server that neither a JSON Schema nor docs/schema-rules.md explains.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from sluice_contract.json_schema import json_schema_file_name
from sluice_contract.kinds import CLUSTER_INGEST_PAUSE, INGEST_JOB, INGEST_PAUSE, INGEST_POLICY, KINDS, ResourceKind
from sluice_contract.rule_reference import lists_with_keys, rules_without_json_schema
from sluice_devcluster.quickstart import Quickstart
from sluice_manifests.progress import ProgressPrinter
from sluice_manifests.tools import find_or_build_tools
from support.schema_documents import GeneratedDocument, generated_documents, valid_documents
from support.strict_create import StrictCreator

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "crds/schemas"
NAMESPACE = "json-schemas"
AT_MOST = {INGEST_JOB.name: 900, INGEST_PAUSE.name: 400, CLUSTER_INGEST_PAUSE.name: 300, INGEST_POLICY.name: 400}
# What docs/schema-rules.md lists, by kind.
LISTED_RULES = {kind.name: [message for _, message in rules_without_json_schema(kind)] for kind in KINDS}
LISTED_LISTS = {kind.name: {path for path, _ in lists_with_keys(kind)} for kind in KINDS}
NOT_CHECKED = "some validation rules were not checked"
Answers = list[tuple[GeneratedDocument, dict[str, Any]]]


def pattern_as_in_javascript(_: object, pattern: str, value: Any, __: Any) -> Iterator[ValidationError]:
    """Compare a text with a pattern. In Python, `$` also matches before a final newline; in JavaScript and Go, not."""
    if isinstance(value, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), value):
        yield ValidationError(f"{value!r} does not match {pattern}")


def validator(kind: ResourceKind) -> Draft7Validator:
    schema = json.loads((SCHEMAS / json_schema_file_name(kind)).read_text())
    Draft7Validator.check_schema(schema)
    extended: type[Draft7Validator] = extend(Draft7Validator, {"pattern": pattern_as_in_javascript})  # type: ignore[no-untyped-call]
    return extended(schema)


@pytest.fixture(scope="module")
def answers(site: Quickstart) -> dict[str, Answers]:
    """The generated documents of each kind, with the API server's refusals."""
    labels = {"sluice.dev/tenant": "acme"}
    site.kubectl.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}])
    return {kind.name: answers_for(kind, site.kubeconfig) for kind in KINDS}


def answers_for(kind: ResourceKind, kubeconfig: Path) -> Answers:
    scope = f"namespaces/{NAMESPACE}/" if kind.is_namespaced else ""
    creator = StrictCreator(kubeconfig, f"/apis/sluice.dev/v1alpha1/{scope}{kind.plural}", "application/json")
    documents = {json.dumps(each.content): each for each in generated_documents(kind, NAMESPACE, AT_MOST[kind.name])}
    found = creator.answers(documents)
    return [(document, found[text]) for text, document in documents.items()]


def reasons_in_schema(kind: ResourceKind, answer: dict[str, Any]) -> list[str]:
    """Return the reasons for a refusal that are not in docs/schema-rules.md."""
    message = answer.get("message", "")
    if not answer or "ValidatingAdmissionPolicy" in message:
        return []
    causes = answer.get("details", {}).get("causes", [])
    return [each["message"] for each in causes if not is_listed(kind, each)] if causes else [message]


def is_listed(kind: ResourceKind, cause: dict[str, str]) -> bool:
    """Return whether docs/schema-rules.md has the cause of a refusal, or the cause is only a note."""
    if any(message in cause["message"] for message in LISTED_RULES[kind.name]):
        return True
    path = re.sub(r"\[\d+\]$", "", cause["field"])
    is_repetition = cause["reason"] == "FieldValueDuplicate" and path in LISTED_LISTS[kind.name]
    return is_repetition or NOT_CHECKED in cause["message"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_schema_rejects_exactly_what_the_api_server_rejects_by_its_schema(
    kind: ResourceKind, answers: dict[str, Answers]
) -> None:
    schema = validator(kind)
    differences = []
    for document, answer in answers[kind.name]:
        reasons = reasons_in_schema(kind, answer)
        if schema.is_valid(document.content) == bool(reasons):
            errors = [each.message[:80] for each in schema.iter_errors(document.content)]
            differences.append(f"{document.change}: API server {[each[:120] for each in reasons]}, schema {errors}")
    assert differences == []


def test_at_least_200_generated_documents_of_each_kind_are_rejected_or_accepted(answers: dict[str, Answers]) -> None:
    for kind in KINDS:
        found = answers[kind.name]
        refused = [answer for _, answer in found if answer]
        by_schema = [answer for answer in refused if reasons_in_schema(kind, answer)]
        print(f"{kind.name}: {len(found)} documents, {len(refused)} refused, {len(by_schema)} by schema")  # noqa: T201
        assert len(found) >= 200
        assert len(by_schema) > 50
        assert len(found) - len(refused) > 10


def test_refusals_by_rules_are_among_the_answers(answers: dict[str, Answers]) -> None:
    by_rules = [
        document.change
        for kind in KINDS
        for document, answer in answers[kind.name]
        if answer and not reasons_in_schema(kind, answer)
    ]
    assert len(by_rules) > 10


def test_kubeconform_uses_the_schemas(tmp_path: Path) -> None:
    program = find_or_build_tools(ProgressPrinter()).kubeconform
    location = f"{SCHEMAS}/{{{{ .ResourceKind }}}}_{{{{ .ResourceAPIVersion }}}}.json"
    documents = [document for kind in KINDS for document in valid_documents(kind, NAMESPACE)]

    def conform(*objects: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        path = tmp_path / "documents.yaml"
        path.write_text(yaml.safe_dump_all(objects))
        command = [str(program), "-strict", "-summary", "-schema-location", location, str(path)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    accepted = conform(*documents)
    assert f"Valid: {len(documents)}, Invalid: 0, Errors: 0, Skipped: 0" in accepted.stdout, accepted.stdout
    refused = conform(documents[0] | {"spec": documents[0]["spec"] | {"symbols": [True]}})
    assert refused.returncode == 1
    assert "/spec/symbols/0" in refused.stdout
