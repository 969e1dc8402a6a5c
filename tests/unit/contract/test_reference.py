from sluice_contract.hot_fields import hot_field_paths
from sluice_contract.reference import field_reference_page
from sluice_contract.rules import RULES
from sluice_contract.schema import field_rows, open_api_schema
from sluice_contract.spec import IngestJobSpec

PAGE = field_reference_page()


def test_every_field_is_once_in_each_part_of_the_page() -> None:
    for part in ("spec", "status"):
        for path, _, _ in field_rows(open_api_schema()["properties"][part]):
            assert f"| `{path}` |" in PAGE, path


def test_every_rule_is_on_the_page() -> None:
    assert all(rule.message in PAGE for rule in RULES)


def test_exactly_the_hot_fields_are_marked() -> None:
    marked = {line.split("`")[1] for line in PAGE.splitlines() if ", **hot**" in line}
    assert marked == hot_field_paths(IngestJobSpec)
