from sluice_contract import pause_conditions, policy_conditions
from sluice_contract.kinds import CLUSTER_INGEST_PAUSE, INGEST_PAUSE, INGEST_POLICY
from sluice_contract.platform_reference import pause_reference_page, policy_reference_page
from sluice_contract.schema import field_rows, open_api_schema


def test_each_page_has_the_fields_and_the_rules_of_its_kinds() -> None:
    for page, kinds in (
        (pause_reference_page(), (INGEST_PAUSE, CLUSTER_INGEST_PAUSE)),
        (policy_reference_page(), (INGEST_POLICY,)),
    ):
        for kind in kinds:
            for part in ("spec", "status"):
                section = page.split(f"### {part} of {kind.name}\n")[1].split("\n## ")[0]
                for path, _, _ in field_rows(open_api_schema(kind)["properties"][part]):
                    assert f"| `{path}` |" in section, path
            assert all(rule.message in page for rule in kind.rules)


def test_each_page_has_its_conditions_and_reasons() -> None:
    for page, module in ((pause_reference_page(), pause_conditions), (policy_reference_page(), policy_conditions)):
        for name in (*module.TYPES, *module.REASONS):
            assert f"| `{name}` |" in page
