"""The document of a standalone runtime, as it is read again and again."""

from pathlib import Path

import pytest

from sluice_runtime.cli import job_reader, log_variables_without_effect
from sluice_runtime.settings import SettingsError

JOB = "metadata: {name: us}\nspec: {tenant: acme, provider: synthetic, symbols: [SPY]}\n"
ALPACA = JOB.replace("synthetic", "alpaca, alpaca: {feed: sip, credentialsSecretRef: {name: alpaca}}")
KEYS = {"ALPACA_KEY_ID": "k", "ALPACA_SECRET_KEY": "s"}


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
        SettingsError,
        match=r'spec\.symbols\[0\]: YAML reads NO as a boolean; write "NO" .*; spec\.limits\.burst is 0: ',
    ):
        job_reader(path, {})()


@pytest.mark.parametrize("firestore", ["", ", firestore: {}", ", firestore: null", ", firestore: {database: prices}"])
@pytest.mark.parametrize("name", ["FIRESTORE_PROJECT_ID", "FIREBASE_PROJECT_ID"])
def test_a_document_without_a_project_uses_that_of_the_environment(path: Path, firestore: str, name: str) -> None:
    path.write_text(JOB.replace("[SPY]", f"[SPY]{firestore}"))
    assert job_reader(path, {name: " acme-prod "})().spec.firestore.project_id == "acme-prod"
    assert job_reader(path, {name: ""})().spec.firestore.project_id is None


def test_the_project_of_a_document_takes_precedence(path: Path) -> None:
    path.write_text(JOB.replace("[SPY]", "[SPY], firestore: {projectID: acme-own}"))
    assert job_reader(path, {"FIRESTORE_PROJECT_ID": "acme-prod"})().spec.firestore.project_id == "acme-own"


def test_blocks_that_share_an_alias_are_set_separately(path: Path) -> None:
    path.write_text(JOB.replace("[SPY]", "[SPY], autoStop: &empty {}, firestore: *empty"))
    spec = job_reader(path, {"FIRESTORE_PROJECT_ID": "acme-prod", "STOP_AFTER_SECONDS": "60"})().spec
    assert spec.auto_stop is not None
    assert (spec.firestore.project_id, spec.auto_stop.after_seconds) == ("acme-prod", 60)


@pytest.mark.parametrize("declared", ["", ", autoStop: null", ", autoStop: {afterSeconds: 7}"])
def test_stop_after_seconds_replaces_the_limit_of_a_document(path: Path, declared: str) -> None:
    path.write_text(JOB.replace("[SPY]", f"[SPY]{declared}"))
    auto_stop = job_reader(path, {"STOP_AFTER_SECONDS": "60"})().spec.auto_stop
    assert auto_stop is not None
    assert auto_stop.after_seconds == 60


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"FIRESTORE_PROJECT_ID": "Acme"}, r"FIRESTORE_PROJECT_ID \(spec.firestore.projectID\) is 'Acme': "),
        ({"STOP_AFTER_SECONDS": "soon"}, "^STOP_AFTER_SECONDS is 'soon'; use a whole number"),
        ({"STOP_AFTER_SECONDS": "0"}, r"STOP_AFTER_SECONDS \(spec.autoStop.afterSeconds\) is 0: "),
        ({"DRY_RUN": "perhaps"}, "^DRY_RUN is malformed"),
    ],
)
def test_an_invalid_variable_is_named(path: Path, variables: dict[str, str], message: str) -> None:
    path.write_text(JOB)
    with pytest.raises(SettingsError, match=message):
        job_reader(path, variables)()


@pytest.mark.parametrize("block", ["firestore: 7", "autoStop: never", "alpaca: sip, dryRun: true"])
def test_a_block_of_another_type_is_reported_as_without_variables(path: Path, block: str) -> None:
    path.write_text(JOB.replace("[SPY]", f"[SPY], {block}"))
    with pytest.raises(SettingsError, match=f"spec.{block.partition(':')[0]} is "):
        job_reader(path, {"FIRESTORE_PROJECT_ID": "acme-prod", "STOP_AFTER_SECONDS": "60"})()


@pytest.mark.parametrize("keys", [{}, {"ALPACA_KEY_ID": "k"}, {"ALPACA_KEY_ID": "k", "ALPACA_SECRET_KEY": " "}])
@pytest.mark.parametrize("dry_run", ["variable", "document"])
def test_a_dry_run_without_keys_declares_no_secret_and_so_streams_simulated_quotes(
    path: Path, keys: dict[str, str], dry_run: str
) -> None:
    path.write_text(ALPACA.replace("[SPY]", "[SPY], dryRun: true") if dry_run == "document" else ALPACA)
    spec = job_reader(path, {"DRY_RUN": "1", **keys} if dry_run == "variable" else keys)().spec
    assert (spec.dry_run, spec.credentials) == (True, None)
    assert spec.alpaca is not None
    assert spec.alpaca.feed == "sip"


def test_keys_are_used_in_a_dry_run_and_needed_otherwise(path: Path) -> None:
    path.write_text(ALPACA)
    assert job_reader(path, {"DRY_RUN": "1", **KEYS})().spec.credentials is not None
    assert job_reader(path, {})().spec.credentials is not None


def test_variables_that_a_document_replaces_are_logged(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log_variables_without_effect(path, {"MONITORED_SYMBOLS": "SPY", "GLOBAL_BURST": "9", "STOP_AFTER_SECONDS": "9"})
    assert caplog.messages == [
        f"no effect with -f: MONITORED_SYMBOLS, GLOBAL_BURST; {path} declares these values, change them there"
    ]


def test_variables_that_apply_to_a_document_are_not_logged(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    applied = {"FIRESTORE_PROJECT_ID": "p", "DRY_RUN": "1", "STOP_AFTER_SECONDS": "9", "INGEST_ENABLED": "1", **KEYS}
    log_variables_without_effect(path, {**applied, "ALPACA_DATA_FEED": " "})
    assert caplog.messages == []
