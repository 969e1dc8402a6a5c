from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sluice_contract.schema import custom_resource_definition, field_rows, open_api_schema
from support import schema_values

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = open_api_schema()
ROWS = {path: field for part in ("spec", "status") for path, field, _ in field_rows(SCHEMA["properties"][part], part)}


def all_parts(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each part of a schema with its path: fields, items of lists and values of maps."""
    for name, field in schema.get("properties", {}).items():
        yield f"{path}{name}", field
        yield from all_parts(field, f"{path}{name}.")
    for items in ("items", "additionalProperties"):
        if items in schema:
            yield f"{path}[]", schema[items]
            yield from all_parts(schema[items], f"{path}[].")


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


def test_every_text_list_and_map_of_spec_and_status_has_a_bound() -> None:
    unbounded = [path for path, part in all_parts(SCHEMA) if not schema_values.has_bound(part)]
    assert unbounded == ["metadata"]  # the API server's own: it bounds all annotations together to 256 kB


def test_the_keys_of_every_map_have_a_bound() -> None:
    maps = [part for _, part in all_parts(SCHEMA) if "additionalProperties" in part]
    assert len(maps) == 3
    for part in maps:
        assert any("key.size() <= 317" in rule["rule"] for rule in part["x-kubernetes-validations"])


def test_every_number_that_a_user_writes_has_both_bounds() -> None:
    for path, field in ROWS.items():
        if path.startswith("spec") and field["type"] in ("integer", "number"):
            assert {"minimum", "maximum"} <= field.keys(), path


def test_only_lists_have_list_types() -> None:
    for schema in nested(SCHEMA):
        if "x-kubernetes-list-type" in schema:
            assert schema["type"] == "array"


def test_a_list_of_names_in_the_status_is_replaced_as_a_whole() -> None:
    for name in ("staleSymbols", "haltedSymbols", "pausedSymbols", "unknownPausedSymbols"):
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


def most_json_bytes(schema: dict[str, Any]) -> int:
    """Return the most bytes of a value as JSON, in which a character such as < takes six."""
    match schema["type"]:
        case "string" if "enum" in schema:
            return 2 + max(len(each) for each in schema["enum"])
        case "string" if "pattern" in schema:
            return 2 + int(schema["maxLength"])  # each pattern allows only characters that take one byte
        case "string":
            return 2 + 6 * int(schema["maxLength"])
        case "array":
            return 2 + int(schema["maxItems"]) * (1 + most_json_bytes(schema["items"]))
        case "object":
            return 2 + sum(4 + len(name) + most_json_bytes(field) for name, field in schema["properties"].items())
    return 17  # an integer below 2**53, with its sign, or a boolean


def test_the_largest_documents_are_as_large_as_the_page_about_security_says() -> None:
    page = " ".join((ROOT / "docs/security.md").read_text().split())
    stream = most_json_bytes(SCHEMA["properties"]["status"]["properties"]["stream"])
    paused = most_json_bytes(SCHEMA["properties"]["spec"]["properties"]["pausedSymbols"])
    assert f"about {_rounded_up_kb(stream)} kB of `status.stream`" in page, stream
    assert f"about {_rounded_up_kb(paused)} kB of `spec.pausedSymbols`" in page, paused


def _rounded_up_kb(size: int) -> int:
    return -(-size // 10_000) * 10
