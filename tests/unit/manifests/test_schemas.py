"""JSON schemas from OpenAPI documents."""

from __future__ import annotations

from typing import Any

import pytest

from sluice_manifests.schemas import kind_schema, open_api_path, schema_file_name, strict_json_schema

KIND = {"group": "sluice.dev", "version": "v1", "kind": "Thing"}
DOCUMENT: dict[str, Any] = {
    "components": {
        "schemas": {
            "dev.Thing": {
                "type": "object",
                "x-kubernetes-group-version-kind": [KIND],
                "properties": {"part": {"description": "d", "allOf": [{"$ref": "#/components/schemas/dev.Part"}]}},
            },
            "dev.Part": {
                "type": "object",
                "properties": {
                    "again": {"type": "array", "items": {"$ref": "#/components/schemas/dev.Part"}},
                    "$ref": {"type": "string"},
                },
            },
            "dev.Other": {"type": "object"},
        }
    }
}


def test_a_kind_is_found_with_all_its_definitions() -> None:
    schema = kind_schema(DOCUMENT, "sluice.dev/v1", "Thing")
    assert schema is not None
    assert schema["$ref"] == "#/definitions/dev.Thing"
    assert set(schema["definitions"]) == {"dev.Thing", "dev.Part"}
    assert schema["definitions"]["dev.Thing"]["properties"]["part"]["allOf"] == [{"$ref": "#/definitions/dev.Part"}]


def test_an_unknown_kind_has_no_schema() -> None:
    assert kind_schema(DOCUMENT, "sluice.dev/v2", "Thing") is None


def test_an_unknown_field_is_rejected_unless_the_schema_preserves_it() -> None:
    assert strict_json_schema({"properties": {"a": {"type": "string"}}})["additionalProperties"] is False
    assert "additionalProperties" not in strict_json_schema(
        {"properties": {}, "x-kubernetes-preserve-unknown-fields": True}
    )
    assert strict_json_schema({"type": "object", "additionalProperties": {"properties": {}}})[
        "additionalProperties"
    ] == {
        "properties": {},
        "additionalProperties": False,
    }


def test_the_schema_of_a_nullable_field_allows_null() -> None:
    assert strict_json_schema({"type": "string", "nullable": True}) == {"type": ["string", "null"]}


@pytest.mark.parametrize(
    ("api_version", "kind", "name", "path"),
    [
        ("v1", "Namespace", "namespace-v1.json", "/openapi/v3/api/v1"),
        ("apps/v1", "Deployment", "deployment-apps-v1.json", "/openapi/v3/apis/apps/v1"),
        (
            "rbac.authorization.k8s.io/v1",
            "Role",
            "role-rbac-v1.json",
            "/openapi/v3/apis/rbac.authorization.k8s.io/v1",
        ),
    ],
)
def test_files_have_the_names_that_kubeconform_looks_for(api_version: str, kind: str, name: str, path: str) -> None:
    assert schema_file_name(api_version, kind) == name
    assert open_api_path(api_version) == path
