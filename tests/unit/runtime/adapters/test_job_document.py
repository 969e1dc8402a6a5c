import json

import pytest

from sluice_runtime.adapters.job_document import JobDocumentError, parse_job_document

JOB = "apiVersion: sluice.dev/v1alpha1\nkind: IngestJob\nmetadata: {name: us, namespace: acme}\nspec: {symbols: [ON]}\n"
OTHER = JOB.replace("us", "eu")
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: acme}\n"
LIST = "apiVersion: v1\nkind: List\nitems:\n"


def item(text: str) -> str:
    return "- " + text.replace("\n", "\n  ").rstrip() + "\n"


@pytest.mark.parametrize(
    "text",
    [
        JOB,
        f"{JOB}---\n",
        f"---\n{JOB}...\n",
        f"---\n---\n# nothing\n---\n{JOB}---\n---\n",
        f"{NAMESPACE}---\n{JOB}",
        f"{JOB}---\n{NAMESPACE}",
        LIST + item(NAMESPACE) + item(JOB),
        LIST.replace("List", "IngestJobList") + item(JOB),
        f"{NAMESPACE}---\n{LIST}{item(JOB)}",
    ],
)
def test_the_job_is_found_among_other_objects(text: str) -> None:
    found = parse_job_document(text)
    assert found.value["metadata"]["name"] == "us"
    assert found.scalar_texts[("spec", "symbols", 0)] == "ON"


def test_a_job_in_json_may_have_tabs_and_escapes() -> None:
    text = json.dumps({"kind": "IngestJob", "spec": {"pause": {"reason": "\U0001f600"}}}, indent="\t")
    assert parse_job_document(text).value["spec"]["pause"]["reason"] == "\U0001f600"
    assert parse_job_document("{kind: IngestJob, spec: {}}").value == {"kind": "IngestJob", "spec": {}}


def test_without_a_kind_a_document_with_a_spec_is_a_job() -> None:
    assert parse_job_document(f"{NAMESPACE}---\nspec: {{}}\n").value == {"spec": {}}


def test_a_single_object_of_another_kind_is_left_to_the_validation() -> None:
    assert parse_job_document(NAMESPACE).value["kind"] == "Namespace"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"{JOB}---\n{OTHER}", "it has 2 IngestJobs: acme/us and acme/eu; keep one job in each file"),
        (LIST + item(JOB) + item(JOB) + item(OTHER), "it has 3 IngestJobs: acme/us, acme/us and acme/eu; keep one"),
        (f"{NAMESPACE}---\nkind: Secret\n", "it has no IngestJob: it has only Namespace, Secret; add a document"),
        ("", "it has no IngestJob: it is empty; add a document with kind: IngestJob"),
        ("---\n---\n", "it has no IngestJob: it is empty; add a document with kind: IngestJob"),
        ("kind: List\nitems: []\n", "it has no IngestJob: it is empty"),
        ("kind: List\nitems: {a: 1}\n", "items of its List is not a list; write a list of objects"),
        ("- a\n", "it has a document that is not a mapping; write apiVersion, kind, metadata and spec"),
        (f"{JOB}---\ntext\n", "it has a document that is not a mapping"),
        ("a: [", "it is not a valid YAML document: line 1: "),
        ("{", "it is not a valid YAML document: line 1: "),
    ],
)
def test_a_file_without_exactly_one_job_is_an_error(text: str, sentence: str) -> None:
    with pytest.raises(JobDocumentError) as error:
        parse_job_document(text)
    assert str(error.value).startswith(sentence)
