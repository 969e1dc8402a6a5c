from collections.abc import Iterator
from typing import Any

from sluice_contract.schema import custom_resource_definition, field_rows, open_api_schema

SCHEMA = open_api_schema()
ROWS = {path: field for part in ("spec", "status") for path, field, _ in field_rows(SCHEMA["properties"][part], part)}


def nested(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for field in schema.get("properties", {}).values():
        yield from nested(field)
    if "items" in schema:
        yield from nested(schema["items"])


def test_every_field_has_a_description_that_is_a_sentence() -> None:
    assert [path for path, field in ROWS.items() if not field["description"].endswith(".")] == []


def test_the_schema_is_structural() -> None:
    for schema in nested(SCHEMA):
        assert isinstance(schema["type"], str)
        assert not schema.keys() & {"$ref", "anyOf", "oneOf", "allOf", "definitions", "title"}


def test_every_list_and_text_that_a_user_writes_is_bounded_or_patterned() -> None:
    for path, field in ROWS.items():
        if path.startswith("spec") and field["type"] == "array":
            assert "maxItems" in field, path
        if path.startswith("spec") and field["type"] == "string" and "enum" not in field and "format" not in field:
            assert "maxLength" in field, path


def test_every_number_that_a_user_writes_has_both_bounds() -> None:
    for path, field in ROWS.items():
        if path.startswith("spec") and field["type"] in ("integer", "number"):
            assert {"minimum", "maximum"} <= field.keys(), path


def test_only_lists_have_list_types() -> None:
    for schema in nested(SCHEMA):
        if "x-kubernetes-list-type" in schema:
            assert schema["type"] == "array"


def test_a_list_of_names_in_the_status_is_replaced_as_a_whole() -> None:
    for name in ("staleSymbols", "haltedSymbols", "pausedSymbols", "unknownPaused"):
        field = ROWS[f"status.stream.symbols.{name}"]
        assert (field["x-kubernetes-list-type"], field["maxItems"], field["items"]["type"]) == ("atomic", 20, "string")
    assert ROWS["spec.pausedSymbols"]["x-kubernetes-list-type"] == "map"


def test_every_column_shows_an_existing_field() -> None:
    [version] = custom_resource_definition()["spec"]["versions"]
    for column in version["additionalPrinterColumns"]:
        path = column["jsonPath"].lstrip(".")
        if path.startswith("status.conditions["):
            assert (
                path.rsplit(".", 1)[1]
                in SCHEMA["properties"]["status"]["properties"]["conditions"]["items"]["properties"]
            )
        elif not path.startswith("metadata."):
            assert path in ROWS, path


def test_the_status_is_a_subresource() -> None:
    [version] = custom_resource_definition()["spec"]["versions"]
    assert version["subresources"] == {"status": {}}


def columns(priority: int) -> dict[str, str]:
    [version] = custom_resource_definition()["spec"]["versions"]
    found = version["additionalPrinterColumns"]
    return {each["name"]: each["jsonPath"] for each in found if each.get("priority", 0) == priority}


def test_the_default_table_has_the_reason_and_ages_whose_names_say_of_what() -> None:
    assert columns(0) == {
        "Provider": ".spec.provider",
        "Phase": ".status.phase",
        "Ready": '.status.conditions[?(@.type=="Ready")].status',
        "Reason": '.status.conditions[?(@.type=="Ready")].reason',
        "Live": ".status.stream.symbols.live",
        "Last-Quote": ".status.stream.heartbeat.lastQuoteReceivedAt",
        "Last-Report": ".status.stream.heartbeat.at",
        "Paused-By": ".status.stream.pause.source",
        "Dry-Run": ".spec.dryRun",
        "Age": ".metadata.creationTimestamp",
    }
    assert list(columns(1)) == ["Tenant", "Feed", "Paused-Symbols", "Message"]


def test_the_lists_of_symbols_warn_of_a_merge_patch() -> None:
    for field in ("spec.symbols", "spec.pausedSymbols"):
        assert "A merge patch (kubectl patch --type=merge) replaces the whole list" in ROWS[field]["description"]
    assert "server-side apply of its entry alone" in ROWS["spec.pausedSymbols"]["description"]
