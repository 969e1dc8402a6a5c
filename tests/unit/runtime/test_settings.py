from typing import Any

import msgspec
import pytest

from sluice_runtime.domain.pause import Switch
from sluice_runtime.settings import Settings, SettingsError, pod_settings

SPEC: dict[str, Any] = {"tenant": "acme", "provider": "synthetic", "symbols": ["AAPL"]}
JOB: dict[str, Any] = {
    "namespace": "acme",
    "name": "us",
    "uid": "0b0b",
    "generation": 3,
    "epoch": 7,
    "projectID": "demo-project",
    "spec": SPEC,
}
ENVIRONMENT = {
    "SLUICE_JOB": msgspec.json.encode(JOB).decode(),
    "POD_UID": "b0d",
    "KUBERNETES_SERVICE_HOST": "10.0.0.1",
}


def with_spec(**changes: Any) -> Settings:
    job = {**JOB, "spec": {**SPEC, **changes}}
    return pod_settings({**ENVIRONMENT, "SLUICE_JOB": msgspec.json.encode(job).decode()})


def sentence(**changes: str | None) -> str:
    environment = {name: value for name, value in {**ENVIRONMENT, **changes}.items() if value is not None}
    with pytest.raises(SettingsError) as error:
        pod_settings(environment)
    return str(error.value)


def test_the_variables_that_the_operator_injects_are_sufficient() -> None:
    found = pod_settings(ENVIRONMENT)
    assert (found.job.name, found.job.epoch, found.job.spec.symbols) == ("us", 7, ["AAPL"])
    assert (found.pod_uid, found.bind, found.log_level) == ("b0d", "127.0.0.1", "INFO")
    assert (found.backoff_base_seconds, found.backoff_cap_seconds) == (1.0, 60.0)
    assert found.api_url == "https://10.0.0.1:443"


def test_each_variable_sets_its_field() -> None:
    more = {
        "POD_IP": "10.1.2.3",
        "KUBERNETES_SERVICE_PORT": "6443",
        "LOG_LEVEL": "debug",
        "LOG_QUOTES": "all",
        "RECONNECT_BACKOFF_BASE_S": "0.5",
        "RECONNECT_BACKOFF_MAX_S": "5",
    }
    found = pod_settings({**ENVIRONMENT, **more})
    assert (found.bind, found.api_url, found.log_level) == ("10.1.2.3", "https://10.0.0.1:6443", "DEBUG")
    assert (found.backoff_base_seconds, found.backoff_cap_seconds, found.log_quotes) == (0.5, 5.0, "all")


def test_an_ipv6_address_is_put_in_brackets() -> None:
    assert pod_settings({**ENVIRONMENT, "KUBERNETES_SERVICE_HOST": "fd00::1"}).api_url == "https://[fd00::1]:443"


@pytest.mark.parametrize("name", ["SLUICE_JOB", "POD_UID", "KUBERNETES_SERVICE_HOST"])
def test_a_missing_variable_is_named(name: str) -> None:
    expected = f"{name} is not set; run this program in a pod that sluice-operator created"
    assert sentence(**{name: None}) == sentence(**{name: ""}) == expected


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ("{", "it is not valid JSON: the end is missing"),
        ("[]", "it is a list; write an object with named fields"),
        ("{}", "namespace is missing; add it"),
        (msgspec.json.encode({**JOB, "spec": {**SPEC, "symbols": ["aapl"]}}).decode(), "spec.symbols[0]: "),
        (msgspec.json.encode({**JOB, "spec": {**SPEC, "provider": "carrier-pigeon"}}).decode(), "spec.provider: "),
    ],
)
def test_a_job_that_cannot_be_read_says_where_and_what_to_do(document: str, place: str) -> None:
    message = sentence(SLUICE_JOB=document)
    assert place in message
    assert message.endswith("run operator and runtime of the same release")


def test_an_empty_variable_counts_as_not_set() -> None:
    empty = dict.fromkeys(("LOG_LEVEL", "RECONNECT_BACKOFF_BASE_S", "INGEST_ENABLED"), "")
    assert pod_settings({**ENVIRONMENT, **empty}) == pod_settings(ENVIRONMENT)


@pytest.mark.parametrize("around", [" {}", "{}  ", "\ufeff{}\r\n"])
def test_spaces_around_a_value_do_not_count(around: str) -> None:
    values = {
        "LOG_LEVEL": "debug",
        "LOG_QUOTES": "all",
        "RECONNECT_BACKOFF_BASE_S": "2",
        "INGEST_ENABLED": "off",
        "INGEST_ENABLED_FILE": "/run/switch",
        "INGEST_ENABLED_POLL_S": "1",
    }
    spaced = {name: around.format(value) for name, value in values.items()}
    assert pod_settings({**ENVIRONMENT, **spaced}) == pod_settings({**ENVIRONMENT, **values})
    blank = dict.fromkeys(values, around.format(""))
    assert pod_settings({**ENVIRONMENT, **blank}) == pod_settings(ENVIRONMENT)


def test_a_backoff_with_a_minimum_above_its_maximum_is_reported() -> None:
    assert (
        sentence(RECONNECT_BACKOFF_BASE_S="90")
        == "RECONNECT_BACKOFF_BASE_S is 90, above RECONNECT_BACKOFF_MAX_S (60); lower it"
    )


@pytest.mark.parametrize("value", ["soon", "0", "-1", "nan", "inf"])
def test_a_backoff_that_is_not_a_positive_number_is_rejected(value: str) -> None:
    message = sentence(RECONNECT_BACKOFF_BASE_S=value)
    assert message.startswith(f"RECONNECT_BACKOFF_BASE_S is {value!r}; use a number of seconds")


def test_an_invalid_log_level_is_rejected_with_the_valid_ones() -> None:
    assert sentence(LOG_QUOTES="none") == "LOG_QUOTES is 'none'; use sampled or all"
    assert sentence(LOG_LEVEL="loud") == "LOG_LEVEL is 'loud'; use debug, info, warning, error, critical"


@pytest.mark.parametrize("word", ["0", "false", "off", "no", " FALSE ", "Off"])
def test_the_environment_pauses_the_job_by_a_word_that_means_no(word: str) -> None:
    assert pod_settings({**ENVIRONMENT, "INGEST_ENABLED": word}).environment_switch == Switch(
        source="env:INGEST_ENABLED", pauses=True
    )


@pytest.mark.parametrize("environment", [{}, *({"INGEST_ENABLED": word} for word in ("", "1", "true", "yes", "on"))])
def test_the_environment_does_not_pause_by_default_or_by_a_word_that_means_yes(environment: dict[str, str]) -> None:
    assert not pod_settings({**ENVIRONMENT, **environment}).environment_switch.pauses


def test_a_word_that_means_neither_yes_nor_no_is_rejected() -> None:
    with pytest.raises(SettingsError, match="INGEST_ENABLED is malformed: 'halt' is neither on nor off"):
        pod_settings({**ENVIRONMENT, "INGEST_ENABLED": "halt"})


def test_a_switch_file_is_polled_every_five_seconds_by_default() -> None:
    assert pod_settings(ENVIRONMENT).enabled_file is None
    found = pod_settings({**ENVIRONMENT, "INGEST_ENABLED_FILE": "/etc/switch", "INGEST_ENABLED_POLL_S": "1"})
    assert (str(found.enabled_file), found.enabled_poll_seconds) == ("/etc/switch", 1.0)
    assert pod_settings(ENVIRONMENT).enabled_poll_seconds == 5.0


def test_the_token_is_read_only_if_the_job_names_one() -> None:
    assert with_spec().http_token_file is None
    assert with_spec(http={"public": True}).http_token_file is None
    assert str(with_spec(http={"tokenSecretRef": {"name": "ingest-http"}}).http_token_file) == "/etc/sluice/http/token"


@pytest.mark.parametrize("http", [None, {}, {"public": False}, {"tokenSecretRef": {"name": "ingest-http"}}], ids=str)
def test_the_status_is_public_only_if_the_job_says_so(http: Any) -> None:
    assert not with_spec(http=http).http_is_public
    assert with_spec(http={"public": True}).http_is_public
