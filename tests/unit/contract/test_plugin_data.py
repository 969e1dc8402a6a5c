import json

from sluice_contract.condition_types import NOTHING_TO_DO
from sluice_contract.conditions import REASONS
from sluice_contract.pause_switches import SWITCHES
from sluice_contract.plugin_data import field_texts, field_texts_text, plugin_data, plugin_data_text
from sluice_contract.stream_states import STREAM_STATES

DATA = plugin_data()


def test_the_text_is_the_data_as_json() -> None:
    assert json.loads(plugin_data_text()) == json.loads(json.dumps(DATA))


def test_a_field_below_a_hot_field_is_hot_and_every_other_one_is_cold() -> None:
    fields = DATA["fields"]
    hot = {path for path, field in fields.items() if field["hot"]}
    assert {"symbols", "limits.writesPerSecond", "pausedSymbols[].symbol", "heartbeat.intervalSeconds"} <= hot
    assert {"tenant", "provider", "alpaca.feed", "heartbeat.document", "pod"} & hot == set()


def test_a_field_has_its_bounds_and_its_default() -> None:
    field = DATA["fields"]["limits.writesPerSecond"]
    assert (field["type"], field["minimum"], field["default"]) == ("integer", 1, 20)


def test_each_field_has_a_text_and_a_list_the_bounds_of_its_items() -> None:
    texts = field_texts()
    assert json.loads(field_texts_text()) == json.loads(json.dumps(texts))
    assert texts.keys() == DATA["fields"].keys()
    assert [path for path, text in texts.items() if not text["description"]] == []
    assert (texts["symbols"]["items"]["type"], texts["symbols"]["items"]["maxLength"]) == ("string", 21)


def test_each_reason_has_its_remedy() -> None:
    reasons = DATA["conditions"]["IngestJob"]["reasons"]
    assert {name: each["remedy"] for name, each in reasons.items()} == {n: r.remedy for n, r in REASONS.items()}
    assert reasons["Streaming"]["remedy"] == NOTHING_TO_DO


def test_the_switches_and_the_states_are_complete() -> None:
    assert [each["source"] for each in DATA["switches"]] == [each.source for each in SWITCHES]
    assert set(DATA["streamStates"]) == set(STREAM_STATES)


def test_each_secret_that_a_job_can_name_has_its_keys() -> None:
    fields = {path for path in DATA["fields"] if path.endswith("SecretRef")}
    assert {each["field"] for each in DATA["secrets"]} == fields
    keys = {each["field"]: each["keys"] for each in DATA["secrets"]}
    assert keys["alpaca.credentialsSecretRef"] == ["ALPACA_KEY_ID", "ALPACA_SECRET_KEY"]
    assert keys["firestore.credentialsSecretRef"] == ["credentials.json"]


def test_a_provider_names_what_identifies_its_connection_and_its_servers() -> None:
    providers = DATA["providers"]
    assert providers["alpaca"]["connection"] == [["credentialsSecretRef.name"], ["streamURL", "feed"]]
    assert providers["alpaca"]["urls"][0]["field"] == "spec.alpaca.streamURL"
    assert providers["ibkr"]["gateway"] == "spec.ibkr.host"
    assert providers["synthetic"] == {"connection": [], "urls": [], "gateway": ""}


def test_the_fields_of_a_connection_are_fields_of_the_block() -> None:
    for name, provider in DATA["providers"].items():
        for group in provider["connection"]:
            assert all(f"{name}.{field}" in DATA["fields"] for field in group)


def test_each_pattern_of_a_field_with_words_has_them() -> None:
    words = DATA["patternWords"]
    assert words[DATA["fields"]["firestore.projectID"]["pattern"]].startswith("write the project's ID")
    assert "SPY" in words[DATA["fields"]["pausedSymbols[].symbol"]["pattern"]]


def test_words_of_yaml_have_the_clauses_of_the_other_tools() -> None:
    words = DATA["yamlWords"]
    assert words["oneWord"].format(word="ON") == 'YAML reads ON as a boolean; write "ON"'
    assert all(each in words["true"] + words["false"] for each in words["booleans"])
