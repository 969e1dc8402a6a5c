"""One table of documents and values, read by the API server, a standalone runtime, its environment, and the chart.

Also looked for: what kubectl itself sends (a file with several documents), aliases that expand without bound, and
nesting that ends a recursive parser (tests/unit/runtime/adapters/test_kubernetes_yaml.py).
"""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from sluice_contract.rules import RULES
from sluice_contract.schema import open_api_schema
from sluice_devcluster.quickstart import Quickstart
from sluice_manifests import value_schemas
from sluice_manifests.progress import ProgressPrinter
from sluice_manifests.tools import find_or_build_tools
from sluice_runtime.cli import job_reader
from sluice_runtime.settings import SettingsError
from support.deadlines import scaled
from support.documents_table import DOCUMENTS, DocumentCase
from support.rules_table import RULE_CASES
from support.strict_create import StrictCreator
from support.values_table import CHART_VALUES, CHARTS, VALUES, VARIABLES, ChartCase, ValueCase

CHART = Path(__file__).parents[2] / "manifests/chart"
SAMPLE = Path(__file__).parents[2] / "manifests/samples/ingestjob.yaml"
KEYS = {"TENANT_ID": "acme", "ALPACA_KEY_ID": "k", "ALPACA_SECRET_KEY": "s"}
ALL_DOCUMENTS = DOCUMENTS + RULE_CASES
IN_ENVIRONMENT = [case for case in VALUES if case.environment is not None]
IN_CHART = [case for case in VALUES if case.chart is not None]


def name_of(case: DocumentCase | ValueCase | ChartCase) -> str:
    text = f"{case.field}={case.value!r}" if isinstance(case, ValueCase) else case.text
    return text.encode("ascii", "backslashreplace").decode("ascii")[-70:]


def chart_values(case: ValueCase) -> str:
    value: Any = case.value
    for step in reversed(CHART_VALUES[case.field].split(".")):
        value = {step: value}
    return json.dumps(value)


def standalone_refusal(text: str, folder: Path) -> str:
    path = folder / "job.yaml"
    path.write_bytes(text.encode())
    try:
        job_reader(path, {})()
    except SettingsError as error:
        return str(error)
    return ""


@pytest.fixture(scope="module")
def api_server(site: Quickstart) -> dict[str, str]:
    """The refusals of the API server, by document."""
    labels = {"sluice.dev/tenant": "acme"}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "acme", "labels": labels}}
    site.kubectl.apply([namespace])
    creator = StrictCreator(site.kubeconfig, "/apis/sluice.dev/v1alpha1/namespaces/acme/ingestjobs")
    return creator.refusals([case.document for case in ALL_DOCUMENTS] + [case.document for case in VALUES])


@pytest.fixture(scope="module")
def helm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The refusals of `helm template`, by the text of the values."""
    program = find_or_build_tools(ProgressPrinter()).helm
    folder = tmp_path_factory.mktemp("values")

    def refusal(numbered: tuple[int, str]) -> tuple[str, str]:
        number, text = numbered
        path = folder / f"{number}.yaml"
        path.write_text(text)
        command = [str(program), "template", "sluice", str(CHART), "-f", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=scaled(60))
        return text, done.stderr if done.returncode else ""

    texts = [*(case.text for case in CHARTS), *(chart_values(case) for case in IN_CHART)]
    with ThreadPoolExecutor(4) as pool:
        return dict(pool.map(refusal, enumerate(texts)))


@pytest.mark.parametrize("case", ALL_DOCUMENTS, ids=name_of)
def test_the_api_server_s_verdict_on_a_document(case: DocumentCase, api_server: dict[str, str]) -> None:
    refusal = api_server[case.document]
    assert (refusal != "") == (case.field != ""), refusal
    assert case.field in refusal


@pytest.mark.parametrize("case", ALL_DOCUMENTS, ids=name_of)
def test_the_standalone_runtime_s_verdict_on_a_document(case: DocumentCase, tmp_path: Path) -> None:
    refusal = standalone_refusal(case.document, tmp_path)
    is_refused = (case.field != "") != (case.standalone_differs != "")
    assert (refusal != "") == is_refused, refusal
    if is_refused:
        assert (case.standalone_says or case.field.replace("ObjectMeta", "metadata")) in refusal
        assert case.field in refusal or not case.field.startswith("spec.")


@pytest.mark.parametrize("case", VALUES, ids=name_of)
def test_the_api_server_s_verdict_on_a_value(case: ValueCase, api_server: dict[str, str]) -> None:
    refusal = api_server[case.document]
    assert (refusal == "") == case.is_valid, refusal
    assert case.is_valid or case.field in refusal


@pytest.mark.parametrize("case", VALUES, ids=name_of)
def test_the_standalone_runtime_s_verdict_on_a_value(case: ValueCase, tmp_path: Path) -> None:
    refusal = standalone_refusal(case.document, tmp_path)
    assert (refusal == "") == case.is_valid, refusal
    assert case.is_valid or case.field in refusal


@pytest.mark.parametrize("case", IN_ENVIRONMENT, ids=name_of)
def test_the_environment_s_verdict_on_a_value(case: ValueCase) -> None:
    variable = VARIABLES[case.field]
    environment = {**KEYS, variable: str(case.value)}
    if case.environment:
        assert job_reader(None, environment)().spec.tenant == "acme"
        return
    with pytest.raises(SettingsError, match=variable):
        job_reader(None, environment)()


@pytest.mark.parametrize("case", IN_CHART, ids=name_of)
def test_the_chart_s_verdict_on_a_value(case: ValueCase, helm: dict[str, str]) -> None:
    refusal = helm[chart_values(case)]
    assert (refusal == "") == case.chart, refusal
    assert case.chart or f"/{CHART_VALUES[case.field].replace('.', '/')}'" in refusal


@pytest.mark.parametrize("case", CHARTS, ids=name_of)
def test_the_chart_s_verdict_on_its_values(case: ChartCase, helm: dict[str, str]) -> None:
    refusal = helm[case.text]
    assert (refusal != "") == (case.place != ""), refusal
    assert case.place in refusal


def test_the_table_has_at_least_200_documents_and_values() -> None:
    assert len(ALL_DOCUMENTS) + len(VALUES) + len(CHARTS) >= 200


def test_every_rule_across_fields_is_broken_by_a_document() -> None:
    broken = [case.field for case in ALL_DOCUMENTS if case.field]
    two_documents = "spec.tenant is immutable"  # a rule on updates
    name = "metadata.name can have at most 56 characters"  # the table has the field
    unbroken = [rule.message for rule in RULES if not rule.message.startswith((two_documents, name, *broken))]
    assert unbroken == []


def test_the_chart_has_the_patterns_of_the_spec() -> None:
    spec = open_api_schema()["properties"]["spec"]["properties"]
    project = spec["firestore"]["properties"]["projectID"]["pattern"]
    pod = spec["pod"]["properties"]
    quantity = pod["resources"]["properties"]["limits"]["properties"]["memory"]["pattern"]
    assert f"^({project[1:-1]})?$" == value_schemas.PROJECT["pattern"]
    assert quantity == value_schemas.QUANTITY["pattern"]
    label = pod["nodeSelector"]["additionalProperties"]["pattern"]
    assert label == value_schemas.LABELS["additionalProperties"]["pattern"]


def test_kubectl_and_the_standalone_runtime_take_the_project_s_sample(site: Quickstart, tmp_path: Path) -> None:
    objects = list(yaml.safe_load_all(SAMPLE.read_text()))
    assert [each["kind"] for each in objects] == ["Namespace", "IngestJob"]
    text = SAMPLE.read_text() + "---\n"
    assert site.kubectl("apply", "--dry-run=server", "-f", "-", text=text).count("server dry run") == 2
    assert standalone_refusal(text, tmp_path) == ""
