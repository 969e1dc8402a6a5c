"""The document of a standalone runtime, as it is read again and again."""

from pathlib import Path

import pytest

from sluice_runtime.cli import job_reader
from sluice_runtime.settings import SettingsError

JOB = "metadata: {name: us}\nspec: {tenant: acme, provider: synthetic, symbols: [SPY]}\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "job.yaml"


def test_an_unchanged_document_is_not_validated_again(path: Path) -> None:
    path.write_text(JOB)
    read = job_reader(path, {})
    first = read()
    assert read() is first
    path.write_text(f"{JOB}---\n")
    assert read() is not first


def test_the_job_is_found_among_the_documents_of_a_file(path: Path) -> None:
    path.write_text(f"kind: Namespace\nmetadata: {{name: acme}}\n---\n{JOB}---\n")
    assert job_reader(path, {})().spec.symbols == ["SPY"]
    assert job_reader(path, {"DRY_RUN": "1"})().spec.dry_run


def test_two_jobs_in_a_file_are_an_error_that_names_them(path: Path) -> None:
    path.write_text(f"{JOB}---\n{JOB.replace('us', 'eu')}")
    with pytest.raises(SettingsError, match="it has 2 IngestJobs: default/us and default/eu; keep one"):
        job_reader(path, {})()


def test_a_document_with_several_mistakes_is_an_error_with_a_sentence_for_each(path: Path) -> None:
    path.write_text(JOB.replace("[SPY]", "[NO], limits: {burst: 0}"))
    with pytest.raises(
        SettingsError, match=r"spec\.symbols\[0\]: YAML reads NO as false: .*; spec\.limits\.burst is 0: "
    ):
        job_reader(path, {})()
