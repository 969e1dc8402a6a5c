from sluice_contract.field_table import field_table

SCHEMA = {
    "properties": {
        "burst": {"type": "integer", "minimum": 1, "maximum": 9, "default": 4, "description": "A number."},
        "names": {"type": "array", "maxItems": 3, "items": {"type": "string"}, "description": "Names."},
    },
    "required": ["names"],
}


def test_a_row_has_the_type_the_bounds_the_default_and_the_marks() -> None:
    assert field_table(SCHEMA, hot=frozenset({"burst"})).splitlines()[2:] == [
        "| `burst` | integer, 1 to 9, default `4`, **hot** | A number. |",
        "| `names` | list of strings, at most 3, required | Names. |",
    ]
