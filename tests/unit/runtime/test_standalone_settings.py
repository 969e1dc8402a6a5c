import sys
import uuid
from typing import Any

import pytest

from sluice_runtime.providers.alpaca.variables import KEY_ID, SECRET_KEY
from sluice_runtime.settings import SettingsError
from sluice_runtime.standalone_settings import job_from_environment, standalone_settings, state_dir

KEYS = {"TENANT_ID": "acme", "ALPACA_KEY_ID": "k", "ALPACA_SECRET_KEY": "s"}
OTHER_NAMES = {"FIRESTORE_TENANT_ID": "acme", "APCA_API_KEY_ID": "k", "APCA_API_SECRET_KEY": "s"}


def sentence(**environment: str) -> str:
    with pytest.raises(SettingsError) as error:
        job_from_environment(environment)
    return str(error.value)


def test_tenant_and_keys_are_sufficient_and_the_defaults_are_the_schema_s() -> None:
    spec = job_from_environment(KEYS).spec
    assert (spec.tenant, spec.provider, spec.symbols, spec.dry_run) == ("acme", "alpaca", ["SPY"], False)
    assert spec.alpaca is not None
    assert (spec.alpaca.feed, spec.limits.writes_per_second, spec.heartbeat.interval_seconds) == ("iex", 20, 15)


def test_variable_names_of_other_tools_are_also_accepted() -> None:
    assert job_from_environment(OTHER_NAMES).spec == job_from_environment(KEYS).spec


def test_no_secret_is_in_the_job() -> None:
    hidden = {**KEYS, "ALPACA_SECRET_KEY": "hush-hush"}
    assert "hush-hush" not in repr(job_from_environment(hidden))


def test_each_variable_sets_its_field() -> None:
    more = {
        "MONITORED_SYMBOLS": "aapl, BRK.B,AAPL,",
        "ALPACA_DATA_FEED": "sip",
        "ALPACA_STREAM_URL": "wss://proxy/v2/sip",
        "PER_SYMBOL_MIN_INTERVAL_MS": "500",
        "GLOBAL_WRITES_PER_SEC": "30.0",
        "GLOBAL_BURST": "60",
        "FLUSH_INTERVAL_MS": "100",
        "GLOBAL_WRITES_PER_DAY": "40000",
        "HEARTBEAT_INTERVAL_S": "5",
        "FIREBASE_PROJECT_ID": "demo-project",
        "FIRESTORE_LATEST_COLLECTION": "latest",
        "STOP_AFTER_SECONDS": "3600",
        "DRY_RUN": "1",
    }
    spec: Any = job_from_environment({**KEYS, **more}).spec
    assert (spec.symbols, spec.dry_run, spec.auto_stop.after_seconds) == (["AAPL", "BRK.B"], True, 3600)
    assert (spec.alpaca.feed, spec.alpaca.stream_url) == ("sip", "wss://proxy/v2/sip")
    limits = spec.limits
    assert (limits.min_interval_milliseconds, limits.writes_per_second, limits.burst) == (500, 30, 60)
    assert (limits.flush_interval_milliseconds, spec.heartbeat.interval_seconds) == (100, 5)
    assert limits.writes_per_day == 40_000
    assert (spec.firestore.project_id, spec.firestore.live_quotes_collection) == ("demo-project", "latest")


def test_spaces_around_a_value_and_the_case_of_a_feed_do_not_count() -> None:
    values = {
        "MONITORED_SYMBOLS": "aapl",
        "ALPACA_DATA_FEED": "SIP",
        "ALPACA_STREAM_URL": "wss://proxy/v2/sip",
        "GLOBAL_BURST": "60",
        "FIREBASE_PROJECT_ID": "demo-project",
        "DRY_RUN": "1",
    }
    spaced = {name: f"\ufeff {value} " for name, value in {**KEYS, **values}.items()}
    assert job_from_environment(spaced) == job_from_environment({**KEYS, **values, "ALPACA_DATA_FEED": "sip"})
    assert job_from_environment({**KEYS, **dict.fromkeys(values, "  ")}) == job_from_environment(KEYS)


def test_a_dry_run_needs_no_keys() -> None:
    spec = job_from_environment({"TENANT_ID": "acme", "DRY_RUN": "true"}).spec
    assert spec.dry_run
    assert spec.alpaca is not None
    assert spec.alpaca.credentials_secret_ref is None


def test_missing_variables_are_named() -> None:
    assert sentence().startswith("TENANT_ID is not set")
    assert sentence(TENANT_ID="acme").startswith("ALPACA_KEY_ID and ALPACA_SECRET_KEY are not set")


@pytest.mark.parametrize("dry_run", ["", "1"])
@pytest.mark.parametrize(
    ("given", "missing"),
    [(name, "ALPACA_SECRET_KEY") for name in KEY_ID] + [(name, "ALPACA_KEY_ID") for name in SECRET_KEY],
)
def test_the_missing_one_of_two_keys_is_named(given: str, missing: str, dry_run: str) -> None:
    message = sentence(**{"TENANT_ID": "acme", given: "top-secret", "DRY_RUN": dry_run})
    assert message.startswith(f"{missing} is not set, although {given} is; set both, or set neither")
    assert "top-secret" not in message


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("GLOBAL_BURST", "many", "GLOBAL_BURST is 'many'; use a whole number"),
        ("GLOBAL_BURST", "1.5", "use a whole number"),
        ("GLOBAL_BURST", "inf", "use a whole number"),
        ("GLOBAL_BURST", "0", "GLOBAL_BURST (spec.limits.burst) is 0: "),
        ("DRY_RUN", "maybe", "DRY_RUN is malformed: 'maybe' is neither on nor off"),
        ("ALPACA_DATA_FEED", "best", "ALPACA_DATA_FEED (spec.alpaca.feed) is 'best': set it to one of "),
        ("MONITORED_SYMBOLS", " , ", "MONITORED_SYMBOLS is ',' and names no symbol; write symbols like SPY,BRK.B"),
        ("MONITORED_SYMBOLS", "A-B", "MONITORED_SYMBOLS (spec.symbols)[0] is 'A-B': "),
        (
            "TENANT_ID",
            "Acme",
            "TENANT_ID (metadata.namespace) is 'Acme': use lower-case letters, digits, and - between",
        ),
        ("FIRESTORE_LIVE_QUOTES_COLLECTION", "users", "this collection name is reserved"),
    ],
)
def test_the_error_of_a_broken_bound_or_rule_names_the_variable(name: str, value: str, part: str) -> None:
    assert part in sentence(**{**KEYS, name: value})


def test_without_jsonschema_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sluice_contract.document_schema", None)
    assert "needs the package jsonschema; run pip install 'sluice-runtime[standalone]'" in sentence(**KEYS)


def test_two_starts_of_one_runtime_are_incarnations_of_one_job() -> None:
    job, environment, own, other = job_from_environment(KEYS), {**KEYS, "HOME": "/h"}, uuid.uuid4(), uuid.uuid4()
    first, second = (standalone_settings(job, environment, epoch, own) for epoch in (1, 2))
    assert first.job.uid == second.job.uid
    assert standalone_settings(job, environment, 1, other).job.uid != first.job.uid
    assert (first.bind, first.job.epoch, second.job.epoch) == ("127.0.0.1", 1, 2)


@pytest.mark.parametrize(
    ("environment", "path"),
    [
        ({"SLUICE_STATE_DIR": "/a", "HOME": "/h"}, "/a"),
        ({"XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x/sluice"),
        ({"HOME": "/h"}, "/h/.local/state/sluice"),
    ],
)
def test_the_state_has_a_default_path(environment: dict[str, str], path: str) -> None:
    assert str(state_dir(environment)) == path
